/* Exports of a city's district firms in a year, by production place (agglomeration_exports, data section).
   A city without exports has no row: absent is not zero. */
select
    right('000' || city_id::string, 4) as city_code,
    year,
    sum(value_cents)::decimal(20, 0) as value_cents,
    count(distinct hs6_id)::int as hs6_n,
    count(distinct destination_id)::int as destination_n,
    count(distinct firm_id)::int as exporters_n,
    sum(case when is_postcode_filled then value_cents else 0 end)::decimal(20, 0) as filled_postcode_cents
from {{ ref('int_trade__district_exports') }}
group by city_id, year
