/* Each postcode that firms gave, in each year: does it lie in a municipal district? Null: no prefix knows it.
   Decided once per distinct postcode and year, by equality joins from the longest prefix to the shortest. */
with postcodes as (
    select distinct
        year,
        postcode
    from {{ ref('int_trade__firm_postcode') }}
    where postcode is not null
)

select
    p.year,
    p.postcode,
    coalesce(six.is_district, five.is_district, four.is_district) as is_district,
    coalesce(six.digits_n, five.digits_n, four.digits_n) as digits_n
from postcodes as p
left join {{ ref('int_geography__postcode_prefix') }} as six
    on p.year = six.year and p.postcode = six.prefix
left join {{ ref('int_geography__postcode_prefix') }} as five
    on p.year = five.year and left(p.postcode, 5) = five.prefix
left join {{ ref('int_geography__postcode_prefix') }} as four
    on p.year = four.year and left(p.postcode, 4) = four.prefix
