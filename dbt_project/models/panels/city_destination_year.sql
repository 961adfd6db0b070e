/* One row a city, destination and year with exports of district firms. */
select
    right('000' || e.city_id::string, 4) as city_code,
    c.country_code as destination_code,
    c.country_name_zh as destination_name_zh,
    c.country_name_en as destination_name_en,
    c.iso3 as destination_iso3_code,
    e.year,
    (sum(e.value_cents)::decimal(20, 0) / 100)::decimal(20, 2) as export_value_usd,
    count(distinct e.hs6_id)::int as hs6_n,
    count(distinct e.firm_id)::int as exporters_n,
    count(*)::int as records_n
from {{ ref('int_trade__district_exports') }} as e
inner join {{ ref('countries') }} as c on e.destination_id = c.country_code::smallint
group by e.city_id, c.country_code, c.country_name_zh, c.country_name_en, c.iso3, e.year
order by city_code, destination_code, e.year
