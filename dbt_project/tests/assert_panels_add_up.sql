/* The three trade panels hold the same value: what the reconciliation calls kept, year by year, to the cent. */
with kept as (
    select
        year,
        value_cents::decimal(38, 2) / 100 as export_value_usd
    from {{ ref('int_trade__reconciliation') }}
    where fate = 'kept'
),

panels as (
    select 'city_year' as panel, year, sum(export_value_usd) as export_value_usd from {{ ref('city_year') }} group by year
    union all
    select 'city_hs6_year' as panel, year, sum(export_value_usd) as export_value_usd from {{ ref('city_hs6_year') }} group by year
    union all
    select 'city_destination_year' as panel, year, sum(export_value_usd) as export_value_usd from {{ ref('city_destination_year') }} group by year
)

select
    p.panel,
    k.year,
    k.export_value_usd as kept_usd,
    p.export_value_usd as panel_usd
from kept as k
left join panels as p on k.year = p.year
where abs(coalesce(p.export_value_usd, 0)::decimal(38, 2) - k.export_value_usd) >= 0.005
