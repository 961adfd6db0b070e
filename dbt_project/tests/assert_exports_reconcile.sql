/* Value in = value out + value set aside, to the cent and to the record: each year's accepted export records
   against what became of them. A failing row shows the year and both sides. */
with records as (
    select
        year,
        count(*) as records_n,
        sum(value_cents) as value_cents
    from {{ ref('stg_customs__records') }}
    where flow = 'export' and year between {{ var('first_year') }} and {{ var('last_year') }}
    group by year
),

fates as (
    select
        year,
        sum(records_n) as records_n,
        sum(value_cents) as value_cents
    from {{ ref('int_trade__reconciliation') }}
    group by year
)

select
    coalesce(r.year, f.year) as year,
    r.records_n as records_in_n,
    f.records_n as records_out_n,
    r.value_cents as value_in_cents,
    f.value_cents as value_out_cents
from records as r
full join fates as f on r.year = f.year
where
    coalesce(r.records_n, -1) <> coalesce(f.records_n, -1)
    or coalesce(r.value_cents, -1) <> coalesce(f.value_cents, -1)
