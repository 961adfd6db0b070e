/* How many records of each year's survey are used, and how many are not, by reason: they add up to what was read. */
select
    year,
    coalesce(set_aside_reason, 'used') as fate,
    count(*)::integer as records_n
from {{ ref('int_firms__judged') }}
group by year, coalesce(set_aside_reason, 'used')
