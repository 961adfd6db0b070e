/* Exports of all firms of a city by HS2002 four-digit heading, 2008 on: what relatedness is measured on. DECISIONS 34. */
select
    city_code,
    left(hs6_code, 4) as hs4_code,
    year,
    (sum(value_cents) / 100)::double as export_value_usd
from {{ ref('int_digital_export_resilience__product_year') }}
where year >= 2008
group by city_code, left(hs6_code, 4), year
