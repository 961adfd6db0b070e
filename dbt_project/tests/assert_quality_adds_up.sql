/* Cells hold the value of their records to the cent, their modes do not hold more than the cell, and a city's change of quality is the sum of
   its effects to 1e-12, in both decompositions. */
with records as (
    select sum(e.value_cents) as value_cents
    from {{ ref('int_trade__exports') }} as e
    inner join {{ ref('int_trade__firm') }} as f on e.firm_id = f.firm_id
    inner join {{ ref('int_virtual_agglomeration_quality__product') }} as p on e.hs6_id = p.hs6_id
    where
        not f.is_intermediary and p.left_out_reason is null and e.quantity > 0
        and coalesce(e.unit_id, p.unit_id, -1) = coalesce(p.unit_id, -1)
        and e.year between {{ var('quality_first_year') }} and {{ var('quality_last_year') }}
),

cells as (
    select
        sum(value_cents) as value_cents,
        count(case when ordinary_cents + processing_cents > value_cents then 1 end) as overfull_n
    from {{ ref('int_virtual_agglomeration_quality__cells') }}
)

select
    'cells' as what,
    r.value_cents::string as expected,
    c.value_cents::string as found
from records as r
cross join cells as c
where coalesce(r.value_cents, 0) <> coalesce(c.value_cents, 0) or c.overfull_n > 0
union all
select
    city_code || ' ' || year::string as what,
    quality_total::string as expected,
    (quality_within + quality_gap)::string as found
from {{ ref('int_virtual_agglomeration_quality__decomposition') }}
where
    abs(quality_within + quality_between + quality_entry + quality_exit - quality_total) > 1e-12
    or abs(griliches_regev_within + griliches_regev_between + griliches_regev_entry + griliches_regev_exit - quality_total) > 1e-12
