/* Exports of all firms of a city, districts and counties, by destination: digital_export_resilience speaks of a city's
   exports as statistics and customs give them, and has no district filter. DECISIONS 33. */
select
    right('000' || e.city_id::string, 4) as city_code,
    c.country_code as destination_code,
    c.iso3 as destination_iso3_code,
    e.year,
    sum(e.value_cents)::decimal(20, 0) as value_cents
from {{ ref('int_trade__exports') }} as e
inner join {{ ref('countries') }} as c on e.destination_id = c.country_code::smallint
group by e.city_id, c.country_code, c.iso3, e.year
