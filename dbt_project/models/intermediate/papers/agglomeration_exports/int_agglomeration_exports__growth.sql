/* Growth of real GDP of each city and year (a share), of the districts and of the whole city, and agglomeration_exports's
   resilience by it.
   ln resilience(t) = g(t) - g(2008), the log of exp(g(t) - g(2008)); with the trailing three-year mean
   m(t) = (g(t) + g(t-1) + g(t-2)) / 3 in place of g, both in t and in 2008. g of the districts where both years have it,
   else of the whole city, never one less the other. DECISIONS 15, 54. */
with printed as (
    {% for scope, column in {'district': 'district_gdp_index_pct', 'city': 'gdp_index_pct'}.items() %}
    {{ 'union all' if not loop.first }}
    select
        city_code,
        year,
        '{{ scope }}' as scope,
        {{ column }} / 100 - 1 as growth_share
    from {{ ref('int_city__indicators') }}
    where {{ column }} > 0
    {% endfor %}
),

growth as (
    select
        *,
        lag(growth_share, 1) over lives as growth_1,
        lag(growth_share, 2) over lives as growth_2,
        lag(year, 2) over lives as year_2
    from printed
    window lives as (partition by city_code, scope order by year)
),

smoothed as (
    select
        city_code,
        scope,
        year,
        growth_share,
        case when year_2 = year - 2 then (growth_share + growth_1 + growth_2) / 3 end as moving_growth_share
    from growth
),

compared as (
    select
        s.*,
        s.growth_share - c.growth_share as ln_resilience,
        s.moving_growth_share - c.moving_growth_share as ln_moving_resilience
    from smoothed as s
    left join smoothed as c on s.city_code = c.city_code and s.scope = c.scope and c.year = 2008
),

scopes as (
    select
        city_code,
        {% for name in ['growth_share', 'moving_growth_share', 'ln_resilience', 'ln_moving_resilience'] %}
        max({{ name }}) filter (where scope = 'district') as district_{{ name }},
        max({{ name }}) filter (where scope = 'city') as {{ name }},
        {% endfor %}
        year
    from compared
    group by city_code, year
)

select
    city_code,
    year,
    growth_share,
    moving_growth_share,
    district_growth_share,
    coalesce(district_ln_resilience, ln_resilience) as ln_growth_resilience,
    exp(coalesce(district_ln_resilience, ln_resilience)) as growth_resilience_index,
    coalesce(district_ln_moving_resilience, ln_moving_resilience) as ln_moving_resilience,
    ln_resilience as ln_whole_city_growth_resilience,
    ln_moving_resilience as ln_whole_city_moving_resilience,
    district_ln_resilience is null and ln_resilience is not null as is_growth_resilience_whole_city,
    district_ln_moving_resilience is null and ln_moving_resilience is not null as is_moving_resilience_whole_city
from scopes
