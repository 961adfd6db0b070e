/* Each trade mode as records write it (a name, or customs' code), judged once: 1 ordinary, 2 processing, 0 neither.
   Whatever seeds/judgments/trade_modes.csv does not list is neither, and is_listed says so. DECISIONS 20. */
with written as (
    select
        trade_mode,
        count(*)::bigint as records_n
    from {{ ref('stg_customs__records') }}
    where trade_mode is not null
    group by trade_mode
)

select
    w.trade_mode,
    (case m.kind when 'ordinary' then 1 when 'processing' then 2 else 0 end)::tinyint as trade_mode_id,
    m.kind is not null as is_listed,
    w.records_n
from written as w
left join {{ ref('trade_modes') }} as m on w.trade_mode = m.trade_mode
