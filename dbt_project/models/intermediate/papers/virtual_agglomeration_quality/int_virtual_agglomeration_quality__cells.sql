/* int_virtual_agglomeration_quality__cells: value, quantity and unit value of what a firm exports of a product to a
   destination in a year, by city of production; without intermediaries, farm and resource goods, and products with few
   records.
   Built year by year, since no cell crosses years: the same rows in less memory. DECISIONS 20. */
with products as (
    select
        hs6_id,
        unit_id
    from {{ ref('int_virtual_agglomeration_quality__product') }}
    where left_out_reason is null
),

makers as (
    select firm_id
    from {{ ref('int_trade__firm') }}
    where not is_intermediary
),

{% for year in range(var('quality_first_year'), var('quality_last_year') + 1) %}
in_{{ year }} as (
    select
        e.firm_id,
        e.city_id,
        e.hs6_id,
        e.destination_id,
        e.year,
        sum(e.value_cents)::bigint as value_cents,
        sum(case when e.trade_mode_id = 1 then e.value_cents else 0 end)::bigint as ordinary_cents,
        sum(case when e.trade_mode_id = 2 then e.value_cents else 0 end)::bigint as processing_cents,
        sum(e.quantity::decimal(28, 4))::double as quantity
    from {{ ref('int_trade__exports') }} as e
    inner join makers as m on e.firm_id = m.firm_id
    inner join products as p on e.hs6_id = p.hs6_id and (e.unit_id = p.unit_id or e.unit_id is null)
    where e.year = {{ year }} and e.quantity > 0
    group by e.firm_id, e.city_id, e.hs6_id, e.destination_id, e.year
),
{% endfor %}

cells as (
    {% for year in range(var('quality_first_year'), var('quality_last_year') + 1) %}
    {{ 'union all' if not loop.first }}
    select * from in_{{ year }}
    {% endfor %}
)

select
    *,
    value_cents / 100.0::double / quantity as unit_value_usd
from cells
where quantity > 0
