/* Values are US cents here whatever the file stated: yuan are divided by the year's mean exchange rate (null where
   that is unknown), so that every model counts in one currency. Records in dollars, nearly all, skip the join.
   DECISIONS 44. */
with stated as (
    select
        r.*,
        r.value_cents as usd_cents
    from {{ lake('customs__records') }} as r
    where r.currency = 'USD'
    union all
    select
        r.*,
        round(r.value_cents / nullif(x.cny_per_usd, 0))::bigint as usd_cents
    from {{ lake('customs__records') }} as r
    left join {{ lake('prices__exchange_rates') }} as x on r.year = x.year
    where r.currency = 'CNY'
)

select
    year,
    month,
    flow,
    hs8 as hs8_code,
    usd_cents as value_cents,
    quantity,
    quantity_unit,
    firm_code,
    firm_name,
    postcode,
    telephone,
    production_place,
    partner_name,
    partner_code,
    trade_mode,
    file_id,
    line
from stated
