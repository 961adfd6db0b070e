/* Growth of real GDP of each city and year (a share), and agglomeration_exports's resilience by it.
   ln resilience(t) = g(t) - g(2008), the log of exp(g(t) - g(2008)); with the trailing three-year mean
   m(t) = (g(t) + g(t-1) + g(t-2)) / 3 in place of g, both in t and in 2008. DECISIONS 15. */
with growth as (
    select
        city_code,
        year,
        gdp_index_pct / 100 - 1 as growth_share,
        lag(gdp_index_pct / 100 - 1, 1) over lives as growth_1,
        lag(gdp_index_pct / 100 - 1, 2) over lives as growth_2,
        lag(year, 2) over lives as year_2
    from {{ ref('int_city__indicators') }}
    where gdp_index_pct > 0
    window lives as (partition by city_code order by year)
),

smoothed as (
    select
        city_code,
        year,
        growth_share,
        case when year_2 = year - 2 then (growth_share + growth_1 + growth_2) / 3 end as moving_growth_share
    from growth
)

select
    s.city_code,
    s.year,
    s.growth_share,
    s.moving_growth_share,
    s.growth_share - c.growth_share as ln_growth_resilience,
    exp(s.growth_share - c.growth_share) as growth_resilience_index,
    s.moving_growth_share - c.moving_growth_share as ln_moving_resilience
from smoothed as s
left join smoothed as c on s.city_code = c.city_code and c.year = 2008
