/* int_prices__city_deflator: the price level of a city's GDP, 2000 = 1.
   As published where the publisher prints it; else nominal GDP over GDP(2000) times the chain of real growth:
       deflator(t) = gdp_cny(t) / (gdp_cny(2000) * prod_{2001..t} gdp_index_pct / 100).
   The chain needs every year since 2000; a gap leaves later years null, never guessed. DECISIONS 13. */
with chained as (
    select
        city_code,
        year,
        gdp_cny,
        gdp_deflator_2000 as published,
        sum(case when year > 2000 then ln(nullif(greatest(gdp_index_pct, 0), 0) / 100) else 0 end) over (
            partition by city_code order by year
        ) as ln_real_growth,
        count(case when year = 2000 then gdp_cny when gdp_index_pct > 0 then gdp_index_pct end) over (
            partition by city_code order by year
        ) as links_n,
        max(case when year = 2000 then gdp_cny end) over (partition by city_code) as gdp_cny_base
    from {{ ref('int_city__indicators') }}
    where year >= 2000
)

select
    city_code,
    year,
    case
        when published > 0 then published
        when links_n = year - 2000 + 1 and gdp_cny > 0 and gdp_cny_base > 0
            then gdp_cny / (gdp_cny_base * exp(ln_real_growth))
    end as gdp_deflator_2000,
    case
        when published > 0 then 'published'
        when links_n = year - 2000 + 1 and gdp_cny > 0 and gdp_cny_base > 0 then 'chained'
    end as deflator_method
from chained
