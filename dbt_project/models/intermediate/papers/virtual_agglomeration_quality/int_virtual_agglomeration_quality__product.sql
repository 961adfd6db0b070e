/* int_virtual_agglomeration_quality__product: each HS2002 product that firms other than intermediaries export in the
   quality sample's years:
   its unit of quantity (the one most of its records state; ties: the first in order), how many records can be used
   (those in that unit, and those that state none: the files of 2007-2011 do not), its elasticity in China
   by three-digit product, its use by BEC, and why it is left out, if it is. DECISIONS 20, 21. */
with counted as (
    select
        e.hs6_id,
        e.unit_id,
        count(*) as records_n
    from {{ ref('int_trade__exports') }} as e
    inner join {{ ref('int_trade__firm') }} as f on e.firm_id = f.firm_id
    where
        not f.is_intermediary and e.quantity > 0
        and e.year between {{ var('quality_first_year') }} and {{ var('quality_last_year') }}
    group by e.hs6_id, e.unit_id
),

ranked as (
    select
        hs6_id,
        unit_id,
        row_number() over (partition by hs6_id order by unit_id is null, records_n desc, unit_id) as rank_n
    from counted
),

products as (
    select
        c.hs6_id,
        right('00000' || c.hs6_id::string, 6) as hs6_code,
        r.unit_id,
        (sum(case when c.unit_id is null or c.unit_id = r.unit_id then c.records_n end))::bigint as records_n,
        coalesce(sum(case when c.unit_id <> r.unit_id then c.records_n end), 0)::bigint as other_unit_records_n
    from counted as c
    inner join ranked as r on c.hs6_id = r.hs6_id and r.rank_n = 1
    group by c.hs6_id, r.unit_id
),

elasticities as (
    select
        hs3_code,
        max(sigma) as sigma
    from {{ ref('stg_concordance__elasticities') }}
    where country_name = 'China'
    group by hs3_code
)

select
    p.hs6_id,
    p.hs6_code,
    p.unit_id,
    n.quantity_unit,
    p.records_n,
    p.other_unit_records_n,
    s.sigma,
    b.end_use,
    case
        when c.reason is not null then c.reason
        when p.records_n < {{ var('quality_records_minimum') }} then 'too_few_records'
    end as left_out_reason
from products as p
left join {{ ref('int_trade__unit') }} as n on p.unit_id = n.unit_id
left join {{ ref('int_trade__end_use') }} as b on p.hs6_code = b.hs6_code
left join elasticities as s on left(p.hs6_code, 3) = s.hs3_code
left join {{ ref('quality_chapters') }} as c on left(p.hs6_code, 2) between c.first_chapter and c.last_chapter
