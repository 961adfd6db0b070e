/* What a city's exports would have been had they followed the nation's: value(t-1) R_t, R_t = exports of all cities
   over those of the year before (digital_export_resilience, eq. 2), and the same with growth weighted as in section
   4.1's second check,
       rate = D ln Y_t (1 + density) + (sigma - 1) ln(CPI_city / CPI_nation), D ln Y_t = ln R_t, sigma = 8.
   Distances are those of the counterfactuals from 2008: the denominators of resilience, from 2009 on.
   DECISIONS 33, 34. */
with city as (
    select
        city_code,
        year,
        (sum(value_cents) / 100)::double as export_value_usd
    from {{ ref('int_digital_export_resilience__destination_year') }}
    group by city_code, year
),

nation as (
    select
        year,
        {{ exact_sum('export_value_usd') }} as national_export_value_usd
    from city
    group by year
),

growth as (
    select
        t.year,
        t.national_export_value_usd / nullif(p.national_export_value_usd, 0) as national_growth_factor
    from nation as t
    inner join nation as p on t.year = p.year + 1
),

paths as (
    select
        t.city_code,
        t.year,
        t.export_value_usd as whole_city_export_value_usd,
        case when t.year >= 2009 then b.export_value_usd end as export_value_2008_usd,
        g.national_growth_factor,
        p.export_value_usd * g.national_growth_factor as counterfactual_export_usd,
        p.export_value_usd * exp(
            ln(nullif(g.national_growth_factor, 0)) * (1 + d.relatedness_density) + (8 - 1) * ln(nullif(greatest(r.relative_price_ratio, 0), 0))
        ) as weighted_counterfactual_export_usd
    from city as t
    inner join growth as g on t.year = g.year
    left join city as p on t.city_code = p.city_code and t.year = p.year + 1
    left join city as b on t.city_code = b.city_code and b.year = 2008
    left join {{ ref('int_digital_export_resilience__relatedness') }} as d on t.city_code = d.city_code and t.year = d.year
    left join {{ ref('int_digital_export_resilience__relative_price') }} as r on t.city_code = r.city_code and t.year = r.year
)

select
    city_code,
    year,
    whole_city_export_value_usd,
    export_value_2008_usd,
    national_growth_factor,
    counterfactual_export_usd,
    weighted_counterfactual_export_usd,
    counterfactual_export_usd - export_value_2008_usd as counterfactual_distance_usd,
    weighted_counterfactual_export_usd - export_value_2008_usd as weighted_counterfactual_distance_usd
from paths
