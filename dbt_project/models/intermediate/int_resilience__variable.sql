/* Each of the 17 indicators of paper D's table 1, and its controls, for each city and year of 2012-2021, gaps between
   two known years filled on a straight line and flagged (paper D, section 3.3). Ends are never extrapolated. DECISIONS 16. */
{% set names = var('resilience_variables', [
    'gdp_per_head_cny', 'urban_disposable_income_cny', 'household_savings_cny', 'unemployment_share', 'openness_share',
    'fiscal_self_sufficiency_share', 'retail_sales_cny', 'tertiary_share', 'loan_deposit_share', 'fixed_investment_cny',
    'hospital_beds_n', 'industrial_dust_t', 'patents_granted_n', 'science_expenditure_cny', 'education_expenditure_cny',
    'structure_ratio', 'urbanisation_share', 'agglomeration', 'fdi_share', 'science_share', 'fdi_cny'
]) %}
with measured as (
    {% for name in names %}
    {{ 'union all' if not loop.first }}
    select
        city_code,
        year,
        '{{ name }}' as variable,
        {{ name }}::double as value
    from {{ ref('city_year') }}
    where year between 2012 and 2021
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
