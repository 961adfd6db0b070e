/* digital_export_resilience's nine control variables (section 3.1): ed = GDP per head; fdi = foreign investment in
   GDP; fp = fiscal revenue over expenditure; ub = ln(registered people per km2); fc = deposits and loans over GDP; mk
   = the province's marketisation index; ts = science expenditure in GDP; er = completed investment against pollution
   in GDP; lai = tertiary over secondary. DECISIONS 35. */
select
    y.city_code,
    y.year,
    y.gdp_per_head_cny,
    {{ at_2000_prices('y.gdp_per_head_cny', 'y.gdp_deflator_2000') }} as gdp_per_head_cny_2000,
    y.fdi_share,
    y.fiscal_self_sufficiency_share,
    ln(nullif(greatest(y.population_registered_n / nullif(y.area_km2, 0), 0), 0)) as ln_population_density,
    (y.deposits_cny + y.loans_cny) / nullif(y.gdp_cny, 0) as finance_ratio,
    m.marketisation_index,
    m.is_marketisation_extrapolated,
    y.science_expenditure_cny / nullif(y.gdp_cny, 0) as science_gdp_share,
    y.pollution_investment_cny / nullif(y.gdp_cny, 0) as pollution_investment_share,
    y.structure_ratio
from {{ ref('city_year') }} as y
left join {{ ref('int_digital_export_resilience__marketisation') }} as m on y.province_code = m.province_code and y.year = m.year
where y.year between 2011 and 2021
