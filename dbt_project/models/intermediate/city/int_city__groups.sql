/* Each city of the spine with the groups that the papers divide cities into. region_group: three regions as
   agglomeration_exports counts them, 内蒙古 in the centre and 广西 in the west. size_group: by the mean of the districts'
   non-agricultural population over 2003-2011. commercial_tier: the list's; a city in none of its tiers is tier_4.
   Where a list was not delivered at all, what it says is unknown: null. DECISIONS 28. */
with sizes as (
    select
        city_code,
        {{ exact_sum('district_population_nonagricultural_n') }}
        / nullif(count(district_population_nonagricultural_n), 0) as district_population
    from {{ ref('int_city__indicators') }}
    where year between 2003 and 2011
    group by city_code
),

policies as (
    select
        city_code,
        min(case when policy = 'development_zone' then first_year end) as development_zone_year,
        max(case when policy = 'resource_based' then policy_class end) as resource_class,
        max(case when policy = 'commercial_tier' then policy_class end) as commercial_tier,
        max(case when policy = 'resource_based' then 1 else 0 end) = 1 as is_resource_based
    from {{ ref('int_policy__city_zone') }}
    group by city_code
),

lists as (
    select
        count(case when policy = 'commercial_tier' then 1 end) as ranked_n,
        count(case when policy = 'resource_based' then 1 end) as resource_n
    from {{ ref('int_policy__city_zone') }}
)

select
    c.city_code,
    c.city_name_zh,
    c.region,
    g.region_group,
    c.tier,
    {{ city_size('s.district_population') }} as size_group,
    p.development_zone_year,
    case when l.resource_n > 0 then coalesce(p.is_resource_based, false) end as is_resource_based,
    p.resource_class,
    case when l.ranked_n > 0 then coalesce(p.commercial_tier, 'tier_4') end as commercial_tier,
    k.city_code is not null as is_coastal
from {{ ref('cities') }} as c
inner join {{ ref('region_groups') }} as g on c.province_code = g.province_code
cross join lists as l
left join sizes as s on c.city_code = s.city_code
left join policies as p on c.city_code = p.city_code
left join {{ ref('coastal_cities') }} as k on c.city_code = k.city_code
