{% set exports, grain = ref('int_trade__district_exports'), ['city_id', 'year'] %}

/* Exports of a city's district firms in a year, by production place (agglomeration_exports, data section).
   A city without exports has no row: absent is not zero. */
with totals as (
    select
        city_id,
        year,
        sum(value_cents)::decimal(20, 0) as value_cents,
        sum(case when is_postcode_filled then value_cents else 0 end)::decimal(20, 0) as filled_postcode_cents
    from {{ exports }}
    group by city_id, year
),

products as (
    {{ distinct_n(exports, grain, 'hs6_id', 'hs6_n') }}
),

destinations as (
    {{ distinct_n(exports, grain, 'destination_id', 'destination_n') }}
),

exporters as (
    {{ distinct_n(exports, grain, 'firm_id', 'exporters_n') }}
)

select
    right('000' || t.city_id::string, 4) as city_code,
    t.year,
    t.value_cents,
    p.hs6_n,
    d.destination_n,
    e.exporters_n,
    t.filled_postcode_cents
from totals as t
inner join products as p on t.city_id = p.city_id and t.year = p.year
inner join destinations as d on t.city_id = d.city_id and t.year = d.year
inner join exporters as e on t.city_id = e.city_id and t.year = e.year
