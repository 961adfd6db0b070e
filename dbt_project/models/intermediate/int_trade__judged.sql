{{ config(materialized='view') }}

/* Each accepted export record with what was decided about its place, partner, product and firm, and the reason
   why it leaves the fact table, if it does. A view: each decision was taken once per distinct value. */
select
    r.year,
    p.city_code::smallint as city_id,
    h.hs2002_code::int as hs6_id,
    c.country_code::smallint as destination_id,
    f.firm_id,
    r.value_cents,
    r.quantity,
    r.quantity_unit,
    r.trade_mode,
    d.is_district,
    coalesce(w.is_postcode_filled, false) as is_postcode_filled,
    case
        when p.set_aside_reason is not null then p.set_aside_reason
        when c.country_code is null then 'unknown_partner'
        when h.hs2002_code is null then 'unknown_hs'
    end as set_aside_reason,
    case
        when w.postcode is null then 'no_postcode'
        when d.is_district is null then 'unknown_postcode'
        when not d.is_district then 'county_firm'
    end as district_reason
from {{ ref('stg_customs__records') }} as r
left join {{ ref('int_geography__place') }} as p on r.production_place = p.production_place
left join {{ ref('int_trade__partner') }} as c on coalesce(r.partner_code, r.partner_name) = c.partner
left join {{ ref('int_time__year') }} as y on r.year = y.year
left join {{ ref('int_concordance__hs2002') }} as h on y.hs_revision = h.revision and left(r.hs8_code, 6) = h.hs6_code
left join {{ ref('int_trade__firm') }} as f on r.firm_code = f.firm_code
left join {{ ref('int_trade__firm_postcode') }} as w on r.firm_code = w.firm_code and r.year = w.year
left join {{ ref('int_geography__postcode_year') }} as d on w.postcode = d.postcode and w.year = d.year
where
    r.flow = 'export'
    and r.year between {{ var('first_year') }} and {{ var('last_year') }}
