{% set exports, grain = ref('int_trade__district_exports'), ['city_id', 'hs6_id', 'year'] %}

/* One row a city, HS2002 six-digit product and year with exports of district firms. */
with totals as (
    select
        city_id,
        hs6_id,
        year,
        (sum(value_cents)::decimal(20, 0) / 100)::decimal(20, 2) as export_value_usd,
        count(*)::int as records_n
    from {{ exports }}
    group by city_id, hs6_id, year
),

destinations as (
    {{ distinct_n(exports, grain, 'destination_id', 'destination_n') }}
),

exporters as (
    {{ distinct_n(exports, grain, 'firm_id', 'exporters_n') }}
)

select
    right('000' || t.city_id::string, 4) as city_code,
    right('00000' || t.hs6_id::string, 6) as hs6_code,
    t.year,
    t.export_value_usd,
    d.destination_n,
    e.exporters_n,
    t.records_n
from totals as t
inner join destinations as d on t.city_id = d.city_id and t.hs6_id = d.hs6_id and t.year = d.year
inner join exporters as e on t.city_id = e.city_id and t.hs6_id = e.hs6_id and t.year = e.year
order by city_code, hs6_code, t.year
