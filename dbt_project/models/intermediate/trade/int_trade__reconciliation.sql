/* What became of each year's accepted export records: counts and value by fate, adding up to all of them. */
select
    year,
    coalesce(set_aside_reason, district_reason, 'kept') as fate,
    count(*) as records_n,
    sum(value_cents::decimal(38, 0))::decimal(38, 0) as value_cents
from {{ ref('int_trade__judged') }}
group by year, coalesce(set_aside_reason, district_reason, 'kept')
