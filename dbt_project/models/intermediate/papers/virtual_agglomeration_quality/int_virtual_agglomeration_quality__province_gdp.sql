/* int_virtual_agglomeration_quality__province_gdp: the size of the home market (virtual_agglomeration_quality): real
   GDP of a province, the sum over its cities that have a value in each year in which any city of the province has one,
   so that a city that comes or goes moves nothing. DECISIONS 21. */
with city_years as (
    select
        c.province_code,
        i.city_code,
        i.year,
        {{ at_2000_prices('i.gdp_cny', 'd.gdp_deflator_2000') }} as gdp_cny_2000
    from {{ ref('int_city__indicators') }} as i
    inner join {{ ref('int_prices__city_deflator') }} as d on i.city_code = d.city_code and i.year = d.year
    inner join {{ ref('cities') }} as c on i.city_code = c.city_code
    where
        i.gdp_cny > 0 and d.gdp_deflator_2000 > 0
        and i.year between {{ var('quality_first_year') }} and {{ var('quality_last_year') }}
),

years as (
    select
        province_code,
        count(distinct year) as years_n
    from city_years
    group by province_code
),

complete as (
    select v.city_code
    from city_years as v
    inner join years as y on v.province_code = y.province_code
    group by v.city_code, y.years_n
    having count(*) = y.years_n
)

select
    v.province_code,
    v.year,
    {{ exact_sum('v.gdp_cny_2000') }} as province_gdp_cny_2000,
    count(*)::int as cities_n
from city_years as v
inner join complete as c on v.city_code = c.city_code
group by v.province_code, v.year
