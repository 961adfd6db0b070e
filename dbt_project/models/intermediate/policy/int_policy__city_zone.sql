/* Each policy in each city with the first year in which it covers the city.
   A zone of a province or of a named region covers its cities; a zone of a county or a county-level city does not
   make its prefecture a zone, nor does a city make that into which it was merged later. Names: int_geography__city_name, seeds/judgments/policy_regions.csv.
   policy_class: the class of a resource-based city, the tier of a commercial ranking; null for zones. DECISIONS 14, 28. */
with zones as (
    select
        policy,
        first_year,
        case when policy in ('resource_based', 'commercial_tier') then batch end as policy_class,
        level,
        regexp_replace(zone_name, '[(（].*$', '') as zone_name  -- 福州市(含平潭)
    from {{ ref('stg_policies__zones') }}
),

covered as (
    select
        z.policy,
        z.first_year,
        z.policy_class,
        n.city_code
    from zones as z
    inner join {{ ref('int_geography__city_name') }} as n on z.zone_name = n.city_name
    where z.level = 'city' and n.relation <> 'merged'
    union all
    select
        z.policy,
        z.first_year,
        z.policy_class,
        c.city_code
    from zones as z
    inner join {{ ref('cities') }} as c on z.zone_name = c.province_name_zh
    where z.level = 'province'
    union all
    select
        z.policy,
        z.first_year,
        z.policy_class,
        r.city_code
    from zones as z
    inner join {{ ref('policy_regions') }} as r on z.zone_name = r.region_name
)

select
    city_code,
    policy,
    first_year,
    policy_class
from (
    select
        *,
        row_number() over (partition by city_code, policy order by first_year, policy_class) as place
    from covered
    where city_code is not null
) as ranked
where place = 1
