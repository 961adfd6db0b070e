/* Each variable of ecommerce_resilience, for each city and year of 2012-2021, gaps between two known years filled on a
   straight line and flagged (ecommerce_resilience, section 3.3). Ends are never extrapolated. DECISIONS 16. */
{% set names = var('resilience_variables', ecommerce_resilience_indicators() + ecommerce_resilience_controls() + digital_level_indicators()
    + ['innovation_index', 'tertiary_employment_share', 'education_share']) %}
with measured as (
    {% for name in names %}
    {{ 'union all' if not loop.first }}
    select
        city_code,
        year,
        '{{ name }}' as variable,
        {{ name }}::double as value
    from {{ ref('int_ecommerce_resilience__measured') }}
    {% endfor %}
),

neighbours as (
    {{ with_known_neighbours('measured', ['city_code', 'variable']) }}
)

select
    city_code,
    year,
    variable,
    {{ on_a_straight_line() }} as value,
    value is null and year_before is not null and year_after is not null as is_interpolated
from neighbours
