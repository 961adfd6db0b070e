/* Each zone of a policy document that covers no city of the spine, with the reason; a zone in two lists counts once, in the
   one that somebody has seen. DECISIONS 14. */
select
    z.policy,
    z.zone_name,
    z.level,
    z.first_year,
    case
        when z.level = 'county' then 'a county or county-level city does not make its prefecture a zone'
        when n.relation = 'merged' then 'a city merged later does not make the other one a zone'
        when n.city_name is not null then 'outside the spine'
        else 'matches no known name'
    end as reason
from {{ ref('stg_policies__zones') }} as z
left join {{ ref('int_geography__city_name') }} as n
    on regexp_replace(z.zone_name, '[(（].*$', '') = n.city_name
where
    (n.city_code is null or (n.relation = 'merged' and z.level = 'city'))
    and z.zone_name not in (select c.province_name_zh from {{ ref('cities') }} as c)
    and z.zone_name not in (select r.region_name from {{ ref('policy_regions') }} as r)
    and not (z.level = 'country' and z.zone_name in (select k.name_zh from {{ ref('country_names') }} as k))
qualify row_number() over (partition by z.policy, z.zone_name order by z.provenance is distinct from 'seen', z.first_year, z.file_id, z.line) = 1
