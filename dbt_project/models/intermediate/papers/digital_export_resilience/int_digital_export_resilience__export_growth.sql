/* What a city's exports would have been had they followed the nation's: value(t-1) R_t, R_t = exports of all cities
   over those of the year before (digital_export_resilience, eq. 2), and the same with growth weighted as in section
   4.1's second check,
       rate = D ln Y_t (1 + density) + (sigma - 1) ln(CPI_city / CPI_nation), D ln Y_t = ln R_t, sigma = 8.
   Distances are those of the counterfactuals from 2008: the denominators of resilience, from 2009 on. Two other readings of
   the counterfactual: rate, v(t-1) (R_t - 1), R_t - 1 the nation's growth as a rate; and the counterfactual of 2008 itself,
   v(2007) R_2008, where the exports of 2008 have a hat as well.
   Without any customs record exports are the yearbook's of the whole city in USD (export_scope), and R_t is that of the
   cities known in both years: a city without customs records exports nothing, one that no yearbook prints is unknown.
   DECISIONS 33, 34, 56, 60. */
with customs as (
    select
        city_code,
        year,
        'customs_city' as export_scope,
        (sum(value_cents) / 100)::double as export_value_usd
    from {{ ref('int_digital_export_resilience__destination_year') }}
    group by city_code, year
),

city as (
    select *
    from customs
    union all
    select
        city_code,
        year,
        'yearbook_city' as export_scope,
        exports_cny / nullif(cny_per_usd, 0) as export_value_usd
    from {{ ref('city_year') }}
    where exports_cny is not null and not exists (select c.city_code from customs as c)
),

nation as (
    select
        year,
        {{ exact_sum('export_value_usd') }} as national_export_value_usd
    from customs
    group by year
),

growth as (
    select
        t.year,
        t.national_export_value_usd / nullif(p.national_export_value_usd, 0) as national_growth_factor
    from nation as t
    inner join nation as p on t.year = p.year + 1
    union all
    select
        t.year,
        {{ exact_sum('t.export_value_usd') }} / nullif({{ exact_sum('p.export_value_usd') }}, 0) as national_growth_factor
    from city as t
    inner join city as p on t.city_code = p.city_code and t.year = p.year + 1
    where t.export_scope = 'yearbook_city'
    group by t.year
),

paths as (
    select
        t.city_code,
        t.year,
        t.export_scope,
        t.export_value_usd as whole_city_export_value_usd,
        case when t.year >= 2009 then b.export_value_usd end as export_value_2008_usd,
        g.national_growth_factor,
        p.export_value_usd * g.national_growth_factor as counterfactual_export_usd,
        p.export_value_usd * (g.national_growth_factor - 1) as rate_counterfactual_export_usd,
        case when t.year >= 2009 then h.export_value_usd * n.national_growth_factor end as counterfactual_2008_usd,
        p.export_value_usd * exp(
            {{ safe_ln('g.national_growth_factor') }} * (1 + d.relatedness_density)
            + (8 - 1) * {{ safe_ln('r.relative_price_ratio') }}
        ) as weighted_counterfactual_export_usd
    from city as t
    inner join growth as g on t.year = g.year
    left join city as p on t.city_code = p.city_code and t.year = p.year + 1
    left join city as b on t.city_code = b.city_code and b.year = 2008
    left join city as h on t.city_code = h.city_code and h.year = 2007
    left join growth as n on n.year = 2008
    left join {{ ref('int_digital_export_resilience__relatedness') }} as d on t.city_code = d.city_code and t.year = d.year
    left join {{ ref('int_digital_export_resilience__relative_price') }} as r on t.city_code = r.city_code and t.year = r.year
)

select
    city_code,
    year,
    export_scope,
    whole_city_export_value_usd,
    export_value_2008_usd,
    national_growth_factor,
    counterfactual_export_usd,
    weighted_counterfactual_export_usd,
    rate_counterfactual_export_usd,
    counterfactual_2008_usd,
    counterfactual_export_usd - export_value_2008_usd as counterfactual_distance_usd,
    weighted_counterfactual_export_usd - export_value_2008_usd as weighted_counterfactual_distance_usd
from paths
