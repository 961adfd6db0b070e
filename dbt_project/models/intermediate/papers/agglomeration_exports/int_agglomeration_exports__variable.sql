/* agglomeration_exports's variables of each city and year, 2003-2011, known or not: cities of the prefecture level by
   the end of 2010.
   Agglomeration: ln non-agricultural population of the districts. Unemployment: ln of registered unemployed over
   registered unemployed plus employees, districts. Controls: ln(1 + x), x in the yearbook's own units.
   DECISIONS 15, 28. */
select
    y.city_code,
    y.city_name_zh,
    y.year,
    y.export_value_usd,
    y.hs6_n,
    y.destination_n,
    case when y.export_value_usd > 0 then ln(y.export_value_usd::double) end as ln_export_value,
    case when y.hs6_n > 0 then ln(y.hs6_n) end as ln_hs6,
    case when y.destination_n > 0 then ln(y.destination_n) end as ln_destination,
    y.district_population_nonagricultural_n,
    case when y.district_population_nonagricultural_n > 0 then ln(y.district_population_nonagricultural_n) end as ln_agglomeration,
    g.growth_resilience_index,
    g.ln_growth_resilience,
    g.ln_moving_resilience,
    y.district_registered_unemployed_n,
    case
        when y.district_registered_unemployed_n > 0 and y.district_employees_n >= 0
            then ln(y.district_registered_unemployed_n / (y.district_registered_unemployed_n + y.district_employees_n))
    end as ln_unemployment,
    p.ln_productivity,
    p.ln_productivity_op,
    p.ln_productivity_acf,
    {% for name, x in {
        'ln_1p_students': 'y.university_students_n / nullif(y.population_registered_n, 0) * 10000',
        'ln_1p_science_expenditure': 'y.district_science_expenditure_cny / 10000',
        'ln_1p_port_distance': 'y.port_distance_km',
        'ln_1p_fdi': 'y.fdi_cny / 10000',
        'ln_1p_road_area': 'y.road_area_per_head_m2',
        'ln_1p_district_area': 'y.district_area_km2'
    }.items() %}
    case when {{ x }} > -1 then ln(1 + {{ x }}) end as {{ name }},
    {% endfor %}
    case when l.zones_n > 0 then coalesce(y.year >= c.development_zone_year, false)::integer end as development_zone_did,
    y.region,
    c.region_group,
    {{ city_size('y.district_population_nonagricultural_n') }} as size_group
from {{ ref('city_year') }} as y
inner join {{ ref('cities') }} as s on y.city_code = s.city_code and s.prefecture_city_since <= 2010
inner join {{ ref('int_city__groups') }} as c on y.city_code = c.city_code
cross join (select count(development_zone_year) as zones_n from {{ ref('int_city__groups') }}) as l
left join {{ ref('int_agglomeration_exports__growth') }} as g on y.city_code = g.city_code and y.year = g.year
left join {{ ref('idx_city_productivity') }} as p on y.city_code = p.city_code and y.year = p.year
where y.year between 2003 and 2011
