/* The three trade panels hold the same value: what the reconciliation calls kept, year by year, to the cent. A year that
   one panel lacks, or that no record was kept of, counts as nothing. */
with kept as (
    select
        names.panel,
        r.year,
        r.value_cents::decimal(38, 2) / 100 as kept_usd
    from {{ ref('int_trade__reconciliation') }} as r
    cross join (values ('city_year'), ('city_hs6_year'), ('city_destination_year')) as names (panel)
    where r.fate = 'kept'
),

panels as (
    select 'city_year' as panel, year, sum(export_value_usd) as panel_usd from {{ ref('city_year') }} group by year
    union all
    select 'city_hs6_year' as panel, year, sum(export_value_usd) as panel_usd from {{ ref('city_hs6_year') }} group by year
    union all
    select 'city_destination_year' as panel, year, sum(export_value_usd) as panel_usd from {{ ref('city_destination_year') }} group by year
)

select
    coalesce(k.panel, p.panel) as panel,
    coalesce(k.year, p.year) as year,
    k.kept_usd,
    p.panel_usd
from kept as k
full join panels as p on k.panel = p.panel and k.year = p.year
where abs(coalesce(p.panel_usd, 0)::decimal(38, 2) - coalesce(k.kept_usd, 0)) >= 0.005
