/* The part of all trade that is wholesale, or retail, over the internet: internet revenue of the one over the revenue of both,
   which is its trade's share of all trade times its split coefficient (internet over own revenue). From the economic
   censuses; years between two of them are interpolated, years before the first and after the last have no row. DECISIONS 23. */
with known as (
    select
        year,
        max(trade_revenue_cny) filter (where trade = 'wholesale') + max(trade_revenue_cny) filter (where trade = 'retail') as revenue_cny,
        max(internet_revenue_cny) filter (where trade = 'wholesale') as internet_wholesale_cny,
        max(internet_revenue_cny) filter (where trade = 'retail') as internet_retail_cny
    from {{ ref('stg_census__trade_split') }}
    group by year
),

shares as (
    select
        year as from_year,
        internet_wholesale_cny / nullif(revenue_cny, 0) as wholesale,
        internet_retail_cny / nullif(revenue_cny, 0) as retail,
        lead(year) over (order by year) as to_year,
        lead(internet_wholesale_cny / nullif(revenue_cny, 0)) over (order by year) as next_wholesale,
        lead(internet_retail_cny / nullif(revenue_cny, 0)) over (order by year) as next_retail
    from known
    where revenue_cny is not null
)

select
    y.year,
    round(
        case
            when y.year = s.from_year then s.wholesale
            else s.wholesale + (s.next_wholesale - s.wholesale) * (y.year - s.from_year) / (s.to_year - s.from_year)
        end, 15
    ) as internet_wholesale_share,
    round(
        case
            when y.year = s.from_year then s.retail
            else s.retail + (s.next_retail - s.retail) * (y.year - s.from_year) / (s.to_year - s.from_year)
        end, 15
    ) as internet_retail_share,
    y.year <> s.from_year as is_interpolated
from {{ ref('int_time__year') }} as y
inner join shares as s on y.year >= s.from_year and y.year < coalesce(s.to_year, s.from_year + 1)
