{{ config(materialized='view') }}

/* Each accepted export record with what was decided about its place, partner, product and firm, and the reason
   why it leaves the fact table, if it does. A view: each decision was taken once per distinct value, and a record
   only looks four of them up. */
with places as (
    select
        production_place,
        city_code::smallint as city_id,
        set_aside_reason
    from {{ ref('int_geography__place') }}
),

partners as (
    select
        partner,
        country_code::smallint as destination_id
    from {{ ref('int_trade__partner') }}
),

products as (
    select
        y.year,
        h.hs6_code,
        h.hs2002_code::int as hs6_id
    from {{ ref('int_time__year') }} as y
    inner join {{ ref('int_concordance__hs2002') }} as h on y.hs_revision = h.revision
),

firm_years as (
    select
        w.firm_code,
        w.year,
        w.firm_id,
        d.is_district,
        w.is_postcode_filled,
        case
            when w.postcode is null then 'no_postcode'
            when d.is_district is null then 'unknown_postcode'
            when not d.is_district then 'county_firm'
        end as district_reason
    from {{ ref('int_trade__firm_postcode') }} as w
    left join {{ ref('int_geography__postcode_year') }} as d on w.postcode = d.postcode and w.year = d.year
)

select
    r.year,
    p.city_id,
    h.hs6_id,
    c.destination_id,
    f.firm_id,
    r.value_cents,
    r.quantity,
    r.quantity_unit,
    r.trade_mode,
    f.is_district,
    coalesce(f.is_postcode_filled, false) as is_postcode_filled,
    case
        when r.production_place is null then 'missing_place'
        when p.city_id is null then coalesce(p.set_aside_reason, 'unknown_place')
        when coalesce(r.partner_code, r.partner_name) is null then 'missing_partner'
        when c.destination_id is null then 'unknown_partner'
        when h.hs6_id is null and y.hs_revision is null then 'no_hs_revision'
        when h.hs6_id is null then 'unknown_hs'
        when r.value_cents is null then 'no_exchange_rate'
        when r.value_cents not between 0 and 10000000000000 then 'value_out_of_bounds'
    end as set_aside_reason,
    case when f.firm_code is null then 'no_postcode' else f.district_reason end as district_reason
from {{ ref('stg_customs__records') }} as r
left join places as p on r.production_place = p.production_place
left join partners as c on coalesce(r.partner_code, r.partner_name) = c.partner
left join {{ ref('int_time__year') }} as y on r.year = y.year
left join products as h on r.year = h.year and left(r.hs8_code, 6) = h.hs6_code
left join firm_years as f on r.firm_code = f.firm_code and r.year = f.year
where
    r.flow = 'export'
    and r.year between {{ var('first_year') }} and {{ var('last_year') }}
