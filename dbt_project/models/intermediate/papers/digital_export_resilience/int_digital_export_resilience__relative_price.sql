/* A city's consumer price index over the nation's (previous year = 100 in both), the nation's being the mean of the
   cities that have one, since no national series is among the sources: the price term of digital_export_resilience's
   weighted resilience. DECISIONS 34. */
with nation as (
    select
        year,
        {{ exact_sum('consumer_price_index_pct') }} / count(consumer_price_index_pct) as national_index_pct
    from {{ ref('int_prices__consumer') }}
    where consumer_price_index_pct is not null
    group by year
)

select
    c.city_code,
    c.year,
    c.consumer_price_index_pct / nullif(n.national_index_pct, 0) as relative_price_ratio
from {{ ref('int_prices__consumer') }} as c
inner join nation as n on c.year = n.year
