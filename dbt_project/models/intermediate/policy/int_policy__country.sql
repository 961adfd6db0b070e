/* Each country on the list of a policy, by customs code. The list is one edition (for the Belt and Road that of 2023) and
   counts for all years, as in digital_export_resilience. DECISIONS 33. */
select
    n.country_code,
    z.policy,
    min(z.first_year) as first_year
from {{ ref('stg_policies__zones') }} as z
inner join {{ ref('country_names') }} as n on z.zone_name = n.name_zh
where z.level = 'country'
group by n.country_code, z.policy
