/* What a city puts into innovation and what comes out (digital_export_resilience, table 2), money at prices of 2000.
   Fixed investment is that of the year before, and stands for R&D spending on fixed assets, which no source prints. Gaps
   between two known years are on a straight line and named; ends are never extrapolated. DECISIONS 36, 56. */
{% set filled = [
    'science_expenditure_cny_2000', 'rd_expenditure_cny_2000', 'fixed_investment_lagged_cny_2000', 'employees_science_n',
    'technology_contracts_n', 'invention_patents_in_force_n'
] %}
with measured as (
    select
        t.city_code,
        t.year,
        {{ at_2000_prices('t.science_expenditure_cny', 't.gdp_deflator_2000') }} as science_expenditure_cny_2000,
        {{ at_2000_prices('t.rd_expenditure_cny', 't.gdp_deflator_2000') }} as rd_expenditure_cny_2000,
        {{ at_2000_prices('p.fixed_investment_cny', 'p.gdp_deflator_2000') }} as fixed_investment_lagged_cny_2000,
        t.employees_science_n,
        t.technology_contracts_n,
        t.invention_patents_in_force_n
    from {{ ref('city_year') }} as t
    left join {{ ref('city_year') }} as p on t.city_code = p.city_code and t.year = p.year + 1
    where t.year between 2011 and 2021
)

{{ with_filled_gaps('measured', filled, 'interpolated_resources') }}
