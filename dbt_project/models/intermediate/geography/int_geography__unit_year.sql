/* Each unit of the postcode file in each year: is it a municipal district (GB/T 2260 code ending 01-20)?
   The unit is found in the year's vintage by name, else by a listed successor, else by its stem (富阳市, 富阳区);
   a year without a match keeps the last class known before it, or the first known after. DECISIONS 7. */
with keys as (
    select distinct
        name_zh as city_name,
        division_code,
        coalesce(city_code, division_code) as prefecture_key
    from {{ ref('city_names') }}
),

prefectures as (
    select distinct
        division_code,
        prefecture_key
    from keys
),

units as (
    select distinct
        p.city_name,
        p.county_name,
        s.successor_name,
        {{ division_stem('p.county_name') }} as stem,
        k.prefecture_key
    from {{ ref('stg_postcodes__districts') }} as p
    inner join keys as k on p.city_name = k.city_name
    left join {{ ref('division_successors') }} as s
        on p.city_name = s.city_name and p.county_name = s.county_name
    where p.county_name <> p.city_name  -- 上饶市 itself is its seat, not 上饶县
),

counties as (
    select
        d.vintage,
        d.name_zh,
        k.prefecture_key,
        {{ division_stem('d.name_zh') }} as stem,
        right(d.division_code, 2)::int between 1 and 20 as is_district
    from {{ ref('stg_divisions__names') }} as d
    inner join prefectures as k
        on {{ prefecture_of('d.division_code') }} = k.division_code
    where right(d.division_code, 2) <> '00'
),

found as (
    select
        u.city_name,
        u.county_name,
        c.vintage,
        max_by(
            c.is_district,
            case when c.name_zh = u.county_name then 3 when c.name_zh = u.successor_name then 2 else 1 end
        ) filter (where c.is_district is not null) as is_district
    from units as u
    inner join counties as c
        on
            u.prefecture_key = c.prefecture_key
            and (u.county_name = c.name_zh or u.successor_name = c.name_zh or u.stem = c.stem)
    group by u.city_name, u.county_name, c.vintage
),

seats as (  -- the row of the city itself stands for its seat, which is a district
    select distinct
        city_name,
        county_name,
        '000000' as vintage,
        true as is_district
    from {{ ref('stg_postcodes__districts') }}
    where city_name = county_name
),

years as (
    select
        year,
        (year::int * 100 + 12)::string as year_end
    from {{ ref('int_time__year') }}
),

classes as (
    select * from found
    union all
    select * from seats
)

select
    f.city_name,
    f.county_name,
    y.year,
    coalesce(
        max_by(f.is_district, f.vintage) filter (where f.vintage <= y.year_end and f.is_district is not null),
        min_by(f.is_district, f.vintage) filter (where f.is_district is not null)
    ) as is_district,
    coalesce(max(f.vintage) filter (where f.vintage <= y.year_end), min(f.vintage)) as vintage
from classes as f
cross join years as y
group by f.city_name, f.county_name, y.year
