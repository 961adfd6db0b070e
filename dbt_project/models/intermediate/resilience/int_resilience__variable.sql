/* Each variable of paper D, for each city and year of 2012-2021, gaps between two known years filled on a straight line
   and flagged (paper D, section 3.3). Ends are never extrapolated. DECISIONS 16. */
{% set names = var('resilience_variables', resilience_indicators() + resilience_controls() + digital_level_indicators()
    + ['innovation_index', 'tertiary_employment_share']) %}
with measured as (
    {% for name in names %}
    {{ 'union all' if not loop.first }}
    select
        city_code,
        year,
        '{{ name }}' as variable,
        {{ name }}::double as value
    from {{ ref('int_resilience__measured') }}
    {% endfor %}
),

neighbours as (
    select
        city_code,
        year,
        variable,
        value,
        max(case when value is not null then year end) over before as year_before,
        max_by(value, case when value is not null then year end) over before as value_before,
        min(case when value is not null then year end) over after as year_after,
        min_by(value, case when value is not null then year end) over after as value_after
    from measured
    window
        before as (partition by city_code, variable order by year rows between unbounded preceding and current row),
        after as (partition by city_code, variable order by year rows between current row and unbounded following)
)

select
    city_code,
    year,
    variable,
    coalesce(
        value,
        value_before + (value_after - value_before) * (year - year_before) / nullif(year_after - year_before, 0)
    ) as value,
    value is null and year_before is not null and year_after is not null as is_interpolated
from neighbours
