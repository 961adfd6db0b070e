/* Each firm once, with a small integer for the fact table and its most frequent name. */
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
)

select
    row_number() over (order by firm_code)::int as firm_id,
    firm_code,
    firm_name
from ranked
where rank_n = 1
