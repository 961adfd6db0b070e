/* One row a city and year, 2003-2011, with exports: the variables of paper A that these sources give.
   Resilience = exp(g_t - g_2008), g = growth of real GDP; ln(1 + x) for controls, x in the yearbook's own units.
   Productivity and development zones come with the firm census. DECISIONS 15. */
with crisis as (
    select
        city_code,
        max(gdp_growth_pct) / 100 as growth_2008
    from {{ ref('city_year') }}
    where year = 2008
    group by city_code
)

select
    y.city_code,
    y.city_name_zh,
    y.year,
    y.export_value_usd,
    y.hs6_n,
    y.destination_n,
    ln(y.export_value_usd::double) as ln_export_value,
    ln(y.hs6_n) as ln_hs6,
    ln(y.destination_n) as ln_destination,
    ln(nullif(greatest(y.district_population_nonagricultural_n, 0), 0)) as ln_agglomeration,
    exp(y.gdp_growth_pct / 100 - c.growth_2008) as growth_resilience_index,
    y.gdp_growth_pct / 100 - c.growth_2008 as ln_growth_resilience,
    ln(1 + y.university_students_n / nullif(y.population_registered_n, 0) * 10000) as ln_1p_students,
    ln(1 + y.district_science_expenditure_cny / 10000) as ln_1p_science_expenditure,
    ln(1 + y.port_distance_km) as ln_1p_port_distance,
    ln(1 + y.fdi_cny / 10000) as ln_1p_fdi,
    ln(1 + y.road_area_per_head_m2) as ln_1p_road_area,
    ln(1 + y.district_area_km2) as ln_1p_district_area,
    y.region
from {{ ref('city_year') }} as y
left join crisis as c on y.city_code = c.city_code
where y.year between 2003 and 2011 and y.export_value_usd > 0
order by y.city_code, y.year
