/* agglomeration_resilience's yearly variables from the yearbooks, 2009-2020: its nine controls, the eight determinants
   of table 10, the change of economic growth, and what it is above that of all cities together (each by its GDP of the
   year before). Logs of values that are not positive are null. Money under a log:
   table 1 fits 10,000 CNY for retail sales and CNY for GDP per head. DECISIONS 31, 55. */
with lagged as (
    select
        y.*,
        p.pollution_damage_index,
        y.gdp_growth_pct - b.gdp_growth_pct as growth_change_pct,
        y.gdp_growth_pct - {{ exact_sum_over('y.gdp_growth_pct * b.gdp_cny / 1e8', 'y.year') }}
        / nullif({{ exact_sum_over('case when y.gdp_growth_pct is not null then b.gdp_cny / 1e8 end', 'y.year') }}, 0) as growth_gap_pct
    from {{ ref('city_year') }} as y
    left join {{ ref('city_year') }} as b on y.city_code = b.city_code and y.year = b.year + 1
    left join {{ ref('idx_pollution_damage') }} as p on y.city_code = p.city_code and y.year = p.year
    where y.year between 2009 and 2020
)

select
    city_code,
    year,
    growth_change_pct,
    growth_gap_pct,
    fiscal_expenditure_cny / nullif(gdp_cny, 0) as fiscal_expenditure_share,
    {{ safe_ln('gdp_per_head_cny') }} as ln_gdp_per_head,
    fdi_share,
    {{ safe_ln('population_registered_n / nullif(area_km2, 0)') }} as ln_population_density,
    {{ safe_ln('retail_sales_cny / 10000') }} as ln_retail_sales,
    {{ safe_ln('university_students_n / nullif(population_registered_n, 0) * 10000') }} as ln_students_per_10000,
    {{ safe_ln('road_area_per_head_m2') }} as ln_road_area_per_head,
    {{ safe_ln('invention_patent_applications_n / nullif(population_registered_n, 0) * 10000') }} as ln_invention_applications_per_10000,
    fixed_investment_cny / nullif(gdp_cny, 0) as fixed_investment_share,
    {{ safe_ln('pollution_damage_index') }} as ln_pollution_damage,
    {{ safe_ln('fdi_share') }} as ln_fdi_share,
    {{ safe_ln('retail_sales_cny / nullif(gdp_cny, 0)') }} as ln_retail_sales_share,
    highway_km / nullif(population_registered_n, 0) * 10000 as highway_km_per_10000,
    {{ safe_ln('gdp_cny / 10000 / nullif(area_km2, 0)') }} as ln_gdp_density,
    {{ safe_ln(at_2000_prices('industrial_fixed_assets_cny', 'gdp_deflator_2000') ~ ' / nullif(secondary_employees_n, 0)') }} as ln_capital_intensity,
    {{ safe_ln('science_expenditure_cny / 10000') }} as ln_science_expenditure,
    {{ safe_ln('gdp_cny_2000 / nullif(employees_n, 0)') }} as ln_labour_productivity
from lagged
