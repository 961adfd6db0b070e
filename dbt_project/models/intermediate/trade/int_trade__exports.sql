/* The narrow fact: one row an export record whose city, product and destination are known, in narrow integers.
   city_id, hs6_id and destination_id are the codes as numbers; value in US cents; trade_mode_id is 1 for ordinary,
   2 for processing trade, else 0; unit_id is null where the record states no unit of quantity. Spark stores it by years, and keeps
   those that nothing reaches: what is joined here and in int_trade__judged by year is named in flows/refresh/year_digests.py. */
select
    j.year,
    j.city_id,
    j.hs6_id,
    j.destination_id,
    j.firm_id,
    j.value_cents,
    j.quantity,
    u.unit_id,
    coalesce(m.trade_mode_id, 0)::tinyint as trade_mode_id,
    coalesce(j.is_district, false) as is_district,
    j.is_postcode_filled
from {{ ref('int_trade__judged') }} as j
left join {{ ref('int_trade__mode') }} as m on j.trade_mode = m.trade_mode
left join {{ ref('int_trade__unit') }} as u on j.quantity_unit = u.quantity_unit
where j.city_id is not null and j.hs6_id is not null and j.destination_id is not null and j.value_cents between 0 and 10000000000000
