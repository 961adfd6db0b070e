{% set exports, grain = ref('int_trade__district_exports'), ['city_id', 'destination_id', 'year'] %}

/* One row a city, destination and year with exports of district firms. */
with totals as (
    select
        city_id,
        destination_id,
        year,
        (sum(value_cents)::decimal(20, 0) / 100)::decimal(20, 2) as export_value_usd,
        count(*)::int as records_n
    from {{ exports }}
    group by city_id, destination_id, year
),

products as (
    {{ distinct_n(exports, grain, 'hs6_id', 'hs6_n') }}
),

exporters as (
    {{ distinct_n(exports, grain, 'firm_id', 'exporters_n') }}
)

select
    right('000' || t.city_id::string, 4) as city_code,
    c.country_code as destination_code,
    c.country_name_zh as destination_name_zh,
    c.country_name_en as destination_name_en,
    c.iso3 as destination_iso3_code,
    t.year,
    t.export_value_usd,
    p.hs6_n,
    e.exporters_n,
    t.records_n
from totals as t
inner join products as p on t.city_id = p.city_id and t.destination_id = p.destination_id and t.year = p.year
inner join exporters as e on t.city_id = e.city_id and t.destination_id = e.destination_id and t.year = e.year
inner join {{ ref('countries') }} as c on t.destination_id = c.country_code::smallint
order by city_code, destination_code, t.year
