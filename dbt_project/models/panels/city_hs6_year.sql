/* One row a city, HS2002 six-digit product and year with exports of district firms. */
select
    right('000' || city_id::string, 4) as city_code,
    right('00000' || hs6_id::string, 6) as hs6_code,
    year,
    (sum(value_cents)::decimal(20, 0) / 100)::decimal(20, 2) as export_value_usd,
    count(distinct destination_id)::int as destination_n,
    count(distinct firm_id)::int as exporters_n,
    count(*)::int as records_n
from {{ ref('int_trade__district_exports') }}
group by city_id, hs6_id, year
order by city_code, hs6_code, year
