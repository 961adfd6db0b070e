{{ config(severity='warn') }}
/* A correction names the value that it expects in the publisher's file, and is applied where it stands there. A row
   here: the publisher has mended the value, and the correction should go. A list that lacks the row is as good. */
select
    c.city_name,
    c.county_name,
    c.postcode_expected,
    p.postcode as postcode_found
from {{ ref('postcodes') }} as c
inner join {{ ref('stg_postcodes__districts') }} as p
    on c.city_name = p.city_name and c.county_name = p.county_name
where p.postcode is distinct from c.postcode_expected
