/* Each trading partner as records write it (a Chinese or English name, or customs' own code) with its customs country code.
   A code counts before a name; an unknown code beside names of different countries is unknown. */
with written as (
    select distinct
        partner_name,
        partner_code
    from {{ ref('stg_customs__records') }}
    where partner_name is not null or partner_code is not null
),

names as (
    select
        lower(name_zh) as name,
        country_code
    from {{ ref('country_names') }}
    union
    select
        lower(country_name_en) as name,
        country_code
    from {{ ref('countries') }}
    union
    select
        lower(name_en) as name,
        country_code
    from {{ ref('country_names_en') }}
),

found as (
    select
        coalesce(w.partner_code, w.partner_name) as partner,
        coalesce(byc.country_code, byn.country_code) as country_code
    from written as w
    left join {{ ref('countries') }} as byc
        on w.partner_code = byc.country_code
    left join names as byn
        on lower(replace(w.partner_name, '，', ',')) = byn.name
)

select
    partner,
    case when min(country_code) = max(country_code) then min(country_code) end as country_code
from found
group by partner
