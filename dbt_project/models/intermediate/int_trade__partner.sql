/* Each trading partner as records write it (a name, or customs' own code) with its customs country code. */
with written as (
    select distinct
        partner_name,
        partner_code
    from {{ ref('stg_customs__records') }}
)

select
    coalesce(w.partner_code, w.partner_name) as partner,
    coalesce(byc.country_code, byn.country_code) as country_code
from written as w
left join {{ ref('countries') }} as byc
    on w.partner_code = byc.country_code
left join {{ ref('country_names') }} as byn
    on w.partner_name = byn.name_zh
