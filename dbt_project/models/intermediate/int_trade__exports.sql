/* The narrow fact: one row an export record whose city, product and destination are known, in small integers.
   city_id, hs6_id and destination_id are the codes as numbers; value in US cents. */
select
    year,
    city_id,
    hs6_id,
    destination_id,
    firm_id,
    value_cents,
    quantity,
    coalesce(is_district, false) as is_district,
    is_postcode_filled
from {{ ref('int_trade__judged') }}
where city_id is not null and hs6_id is not null and destination_id is not null
