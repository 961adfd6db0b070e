/* Each postcode prefix that decides, in each year, whether an address lies in a municipal district.
   Four digits where all units that share them have one class in that year, five or six where they have not
   (agglomeration_exports, data section, step 3). At six digits a district wins over a county, since the shared code is
   the seat's; the row says so. DECISIONS 8. */
with units as (
    select
        u.year,
        coalesce(c.postcode, p.postcode) as postcode,
        u.is_district
    from {{ ref('stg_postcodes__districts') }} as p
    inner join {{ ref('int_geography__unit_year') }} as u
        on p.city_name = u.city_name and p.county_name = u.county_name
    left join {{ ref('postcodes') }} as c
        on p.city_name = c.city_name and p.county_name = c.county_name and p.postcode = c.postcode_expected
),

prefixes as (
    {% for digits in [4, 5, 6] %}
    {{ 'union all' if not loop.first }}
    select
        year,
        left(postcode, {{ digits }}) as prefix,
        {{ digits }}::tinyint as digits_n,
        bool_or(is_district) as is_district,
        bool_or(is_district) and bool_or(not is_district) as is_shared
    from units
    group by year, left(postcode, {{ digits }})
    {% endfor %}
)

select
    p.year,
    p.prefix,
    p.digits_n,
    p.is_district,
    p.is_shared
from prefixes as p
left join prefixes as shorter
    on
        p.year = shorter.year
        and left(p.prefix, p.digits_n - 1) = shorter.prefix
        and p.digits_n - 1 = shorter.digits_n
where
    (p.digits_n = 6 or not p.is_shared)
    and (p.digits_n = 4 or shorter.is_shared)
