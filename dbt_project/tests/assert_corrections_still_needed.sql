/* A correction names the value that it expects in the publisher's file. A row here: the publisher has mended the
   value, or dropped the row, and the correction should go. Quiet while no postcode file is loaded. */
select
    c.city_name,
    c.county_name,
    c.postcode_expected,
    p.postcode as postcode_found
from {{ ref('postcodes') }} as c
left join {{ ref('stg_postcodes__districts') }} as p
    on c.city_name = p.city_name and c.county_name = p.county_name
where
    p.postcode is distinct from c.postcode_expected
    and exists (select 1 from {{ ref('stg_postcodes__districts') }})
