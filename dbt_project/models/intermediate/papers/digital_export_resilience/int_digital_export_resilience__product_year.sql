/* Exports of all firms of a city by HS2002 six-digit product. DECISIONS 33. */
select
    right('000' || city_id::string, 4) as city_code,
    right('00000' || hs6_id::string, 6) as hs6_code,
    year,
    sum(value_cents)::decimal(20, 0) as value_cents
from {{ ref('int_trade__exports') }}
group by city_id, hs6_id, year
