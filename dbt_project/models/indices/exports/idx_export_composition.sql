/* idx_export_composition: what a city's exports consist of, all firms, as shares of their value:
       by trade mode  ordinary and processing trade; other modes, and records that state none, are the rest
       by BEC         intermediate and final goods; products of both kinds, or of neither, are the rest
   Null where nothing is known of the modes, or the uses, of a city's exports in the year. DECISIONS 20, 21. */
with summed as (
    select
        e.city_id,
        e.year,
        sum(e.value_cents)::double as value_cents,
        sum(case when e.trade_mode_id = 1 then e.value_cents else 0 end)::double as ordinary_cents,
        sum(case when e.trade_mode_id = 2 then e.value_cents else 0 end)::double as processing_cents,
        sum(case when u.end_use = 'intermediate' then e.value_cents else 0 end)::double as intermediate_cents,
        sum(case when u.end_use = 'final' then e.value_cents else 0 end)::double as final_cents
    from {{ ref('int_trade__exports') }} as e
    left join {{ ref('int_trade__end_use') }} as u on e.hs6_id = u.hs6_code::int
    group by e.city_id, e.year
)

select
    right('000' || city_id::string, 4) as city_code,
    year,
    case when ordinary_cents + processing_cents > 0 then ordinary_cents / value_cents end as ordinary_trade_share,
    case when ordinary_cents + processing_cents > 0 then processing_cents / value_cents end as processing_trade_share,
    case when intermediate_cents + final_cents > 0 then intermediate_cents / value_cents end as intermediate_goods_share,
    case when intermediate_cents + final_cents > 0 then final_cents / value_cents end as final_goods_share
from summed
