/* int_prices__city_deflator: the price level of a city's GDP, 2000 = 1. In this order (deflator_method):
       published  as the publisher prints it
       implied    nominal over real GDP at prices of 2000, both of one edition
       chained    gdp_cny(t) / (gdp_cny(2000) * prod_{2001..t} gdp_index_pct / 100); the chain needs every year since 2000
       cpi        deflator(s) * prod_{s+1..t} cpi / 100 from the last year s before t that has one of the above (2000 has 1)
       province   the same, where a year lacks the city's cpi and takes its province's GDP deflator, else consumer prices
   2000 itself has 1 (base) where it has nothing else. Where none can be had it is null, never guessed. Logs are summed exactly,
   so that no bit depends on the order of rows. DECISIONS 13, 38. */
{% set price = 'coalesce(c.consumer_price_index_pct, v.gdp_deflator_index_pct, v.consumer_price_index_pct)' %}
with keys as (
    select
        city_code,
        year
    from {{ ref('int_city__indicators') }}
    where year >= 2000
    union
    select
        city_code,
        year
    from {{ ref('int_prices__consumer') }}
    where year between 2000 and {{ var('last_year') }}
),

implied as (
    select
        r.city_code,
        r.year,
        n.value / nullif(r.value, 0) as implied_deflator
    from {{ ref('int_city__indicator_vintages') }} as r
    inner join {{ ref('int_city__indicator_vintages') }} as n
        on r.city_code = n.city_code and r.year = n.year and r.scope = n.scope and r.vintage = n.vintage
    where r.indicator = 'gdp_cny_2000_published' and r.scope = 'city' and r.is_chosen and n.indicator = 'gdp_cny'
        and n.is_out_of_bounds is not true
),

running as (
    select
        k.city_code,
        k.year,
        i.gdp_cny,
        i.gdp_deflator_2000 as published,
        m.implied_deflator,
        (sum((case when k.year > 2000 then {{ safe_ln('i.gdp_index_pct / 100') }} else 0 end)::decimal(38, 15)) over years)::double
            as ln_real_growth,
        count(case when k.year = 2000 then i.gdp_cny when i.gdp_index_pct > 0 then i.gdp_index_pct end) over years as links_n,
        max(case when k.year = 2000 then i.gdp_cny end) over (partition by k.city_code) as gdp_cny_base,
        coalesce((sum((case when k.year > 2000 then {{ safe_ln(price ~ ' / 100') }} end)::decimal(38, 15)) over years)::double, 0) as ln_prices,
        count(case when k.year > 2000 then {{ price }} end) over years as price_links_n,
        count(case when k.year > 2000 then c.consumer_price_index_pct end) over years as consumer_links_n
    from keys as k
    left join {{ ref('int_city__indicators') }} as i on k.city_code = i.city_code and k.year = i.year
    left join implied as m on k.city_code = m.city_code and k.year = m.year
    left join {{ ref('int_prices__consumer') }} as c
        on k.city_code = c.city_code and k.year = c.year and c.consumer_price_index_pct > 0
    left join {{ ref('int_prices__province') }} as v on left(k.city_code, 2) = v.province_code and k.year = v.year
    window years as (partition by k.city_code order by k.year)
),

own as (
    select
        *,
        case
            when published > 0 then 'published'
            when implied_deflator > 0 then 'implied'
            when links_n = year - 2000 + 1 and gdp_cny > 0 and gdp_cny_base > 0 then 'chained'
        end as own_method
    from running
),

valued as (
    select
        *,
        case own_method
            when 'published' then published
            when 'implied' then implied_deflator
            when 'chained' then round(gdp_cny / (gdp_cny_base * exp(ln_real_growth)), 12)
        end as own_deflator
    from own
),

carried as (
    select
        *,
        coalesce(max(case when own_method is not null then year end) over years, 2000) as from_year,
        coalesce(max_by(own_deflator, case when own_method is not null and own_deflator is not null then year end) over years, 1) as from_deflator,
        coalesce(max_by(ln_prices, case when own_method is not null and ln_prices is not null then year end) over years, 0) as from_ln_prices,
        coalesce(max_by(price_links_n, case when own_method is not null and price_links_n is not null then year end) over years, 0) as from_price_links_n,
        coalesce(max_by(consumer_links_n, case when own_method is not null and consumer_links_n is not null then year end) over years, 0) as from_links_n
    from valued
    window years as (partition by city_code order by year)
)

select
    city_code,
    year,
    case
        when own_method is not null then own_deflator
        when price_links_n - from_price_links_n = year - from_year then round(from_deflator * exp(ln_prices - from_ln_prices), 12)
    end as gdp_deflator_2000,
    case
        when own_method is not null then own_method
        when year = 2000 then 'base'
        when consumer_links_n - from_links_n = year - from_year then 'cpi'
        when price_links_n - from_price_links_n = year - from_year then 'province'
    end as deflator_method
from carried
