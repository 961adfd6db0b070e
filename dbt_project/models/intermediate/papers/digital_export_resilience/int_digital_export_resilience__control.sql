/* digital_export_resilience's nine control variables (section 3.1): ed = GDP per head; fdi = foreign investment in
   GDP; fp = fiscal revenue over expenditure; ub = ln(registered people per km2); fc = deposits and loans over GDP; mk
   = the province's marketisation index; ts = science expenditure in GDP; er = completed investment against pollution
   in GDP; lai = tertiary over secondary; and the internet ports by which its instruments are multiplied. Gaps between two
   known years are on a straight line and named; ends are never extrapolated. DECISIONS 35, 56. */
{% set filled = [
    'gdp_per_head_cny', 'gdp_per_head_cny_2000', 'fdi_share', 'fiscal_self_sufficiency_share', 'ln_population_density', 'finance_ratio',
    'science_gdp_share', 'pollution_investment_share', 'structure_ratio', 'internet_ports_n'
] %}
with measured as (
    select
        city_code,
        year,
        gdp_per_head_cny,
        {{ at_2000_prices('gdp_per_head_cny', 'gdp_deflator_2000') }} as gdp_per_head_cny_2000,
        fdi_share,
        fiscal_self_sufficiency_share,
        {{ safe_ln('population_registered_n / nullif(area_km2, 0)') }} as ln_population_density,
        (deposits_cny + loans_cny) / nullif(gdp_cny, 0) as finance_ratio,
        science_expenditure_cny / nullif(gdp_cny, 0) as science_gdp_share,
        pollution_investment_cny / nullif(gdp_cny, 0) as pollution_investment_share,
        structure_ratio,
        internet_ports_n
    from {{ ref('city_year') }}
    where year between 2011 and 2021
),

filled as (
    {{ with_filled_gaps('measured', filled, 'interpolated_controls') }}
)

select
    f.city_code,
    f.year,
    f.gdp_per_head_cny,
    f.gdp_per_head_cny_2000,
    f.fdi_share,
    f.fiscal_self_sufficiency_share,
    f.ln_population_density,
    f.finance_ratio,
    m.marketisation_index,
    m.is_marketisation_extrapolated,
    f.science_gdp_share,
    f.pollution_investment_share,
    f.structure_ratio,
    f.internet_ports_n,
    f.interpolated_controls
from filled as f
inner join {{ ref('cities') }} as c on f.city_code = c.city_code
left join {{ ref('int_digital_export_resilience__marketisation') }} as m on c.province_code = m.province_code and f.year = m.year
