/* Each production place once: the city that it names, found by the longest known name that it begins with,
   after a leading province name (浙江杭州市) is taken off where a city of that province follows; or the city whose
   code the first four digits of customs' area code are (33019; 31... is Shanghai). DECISIONS 6, 43. */
with places as (
    select distinct
        production_place,
        regexp_extract(production_place, '^[0-9]{4,6}$', 0) as area_code
    from {{ ref('stg_customs__records') }}
    where production_place is not null
),

prefectures as (  -- a code that stood for several places (4690, counties under Hainan province) names no city
    select
        division_code,
        case when count(distinct coalesce(city_code, '')) = 1 then max(city_code) end as city_code
    from {{ ref('city_names') }}
    group by division_code
),

provinces as (
    select distinct
        province_code,
        province_name_zh as province_name
    from {{ ref('cities') }}
    union
    select distinct
        province_code,
        regexp_replace(province_name_zh, '(壮族自治区|回族自治区|维吾尔自治区|自治区|省|市)$', '') as province_name
    from {{ ref('cities') }}
),

spellings as (
    select
        production_place,
        production_place as spelling,
        null as province_code
    from places
    union all
    select
        p.production_place,
        substr(p.production_place, length(v.province_name) + 1) as spelling,
        v.province_code
    from places as p
    inner join provinces as v
        on left(p.production_place, length(v.province_name)) = v.province_name
),

matches as (
    select
        s.production_place,
        n.city_code,
        row_number() over (
            partition by s.production_place
            order by (s.province_code is not null) desc, length(n.name_zh) desc, n.last_year desc
        ) as rank_n
    from spellings as s
    inner join {{ ref('city_names') }} as n
        on
            left(s.spelling, length(n.name_zh)) = n.name_zh
            and (s.province_code is null or s.province_code = n.province_code)
    union all
    select
        p.production_place,
        n.city_code,
        1 as rank_n
    from places as p
    inner join prefectures as n on {{ prefecture_of('p.area_code') }} = n.division_code
    where p.area_code <> ''
)

select
    p.production_place,
    m.city_code,
    case
        when m.production_place is null then 'unknown_place'
        when m.city_code is null then 'outside_spine'
    end as set_aside_reason
from places as p
left join matches as m
    on p.production_place = m.production_place and m.rank_n = 1
