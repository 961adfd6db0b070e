/* Each firm once, with its number in the fact table, its most frequent name, and whether a word of that name says
   that it trades what others make. A firm without a name counts as a maker. DECISIONS 20. */
with names as (
    select
        firm_code,
        firm_name,
        count(*) as records_n
    from {{ ref('stg_customs__records') }}
    where firm_code is not null
    group by firm_code, firm_name
),

ranked as (
    select
        firm_code,
        firm_name,
        row_number() over (partition by firm_code order by firm_name is null, records_n desc, firm_name) as rank_n
    from names
),

numbers as (
    select distinct
        firm_id,
        firm_code
    from {{ ref('int_trade__firm_postcode') }}
),

named as (
    select
        f.firm_id,
        r.firm_code,
        r.firm_name
    from ranked as r
    inner join numbers as f
        on r.firm_code = f.firm_code
    where r.rank_n = 1
)

select
    n.firm_id,
    n.firm_code,
    n.firm_name,
    count(w.word) > 0 as is_intermediary
from named as n
left join {{ ref('intermediary_words') }} as w
    on n.firm_name like '%' || w.word || '%'
group by n.firm_id, n.firm_code, n.firm_name
