/* Where a city's exports go, s_d = share of destination d in the exports of all its firms (digital_export_resilience,
   sections 4.2 and 4.4):
       HHI = sum_d s_d^2; market diversity = 1 / HHI; Belt-and-Road share = sum of s_d over countries on the list
       risk exposure = sum_d s_d GPR_d / sum_d s_d over destinations that have a GPR; high where above the year's median
       of the paper's cities (seeds/judgments/digital_exclusions.csv are out).
   Rounded to 12 digits, or shares that are all of it would add up to 1.000000000000001. A city without exports has no
   row:
   absent is not zero. DECISIONS 33. */
with shares as (
    select
        city_code,
        destination_code,
        destination_iso3_code,
        year,
        value_cents,
        value_cents::double / nullif((sum(value_cents) over (partition by city_code, year))::double, 0) as destination_share
    from {{ ref('int_digital_export_resilience__destination_year') }}
),

belt_and_road as (
    select country_code
    from {{ ref('int_policy__country') }}
    where policy = 'belt_and_road'
),

markets as (
    select
        s.city_code,
        s.year,
        (sum(s.value_cents) / 100)::decimal(20, 2) as whole_city_export_value_usd,
        count(*)::int as whole_city_destination_n,
        round({{ exact_sum('s.destination_share * s.destination_share') }}, 12) as destination_hhi,
        round({{ exact_sum('case when b.country_code is not null then s.destination_share else 0 end') }}, 12) as listed_share,
        {{ exact_sum('s.destination_share * g.geopolitical_risk_pct') }} as weighted_risk,
        {{ exact_sum('case when g.geopolitical_risk_pct is not null then s.destination_share end') }} as covered_share
    from shares as s
    left join belt_and_road as b on s.destination_code = b.country_code
    left join {{ ref('int_risk__country_year') }} as g on s.destination_iso3_code = g.iso3_code and s.year = g.year
    group by s.city_code, s.year
),

exposures as (
    select
        *,
        weighted_risk / nullif(covered_share, 0) as risk_exposure_pct
    from markets
),

medians as (
    select
        s.year,
        percentile_cont(0.5) within group (order by s.risk_exposure_pct) as median_exposure_pct
    from exposures as s
    left join {{ ref('digital_exclusions') }} as x on s.city_code = x.city_code
    where x.city_code is null and s.risk_exposure_pct is not null
    group by s.year
)

select
    e.city_code,
    e.year,
    e.whole_city_export_value_usd,
    e.whole_city_destination_n,
    e.destination_hhi,
    1 / nullif(e.destination_hhi, 0) as market_diversity_index,
    case when exists (select b.country_code from belt_and_road as b) then e.listed_share end as belt_and_road_share,
    e.risk_exposure_pct,
    round(coalesce(e.covered_share, 0), 12) as risk_covered_share,
    e.risk_exposure_pct > m.median_exposure_pct as is_high_risk_exposure
from exposures as e
left join medians as m on e.year = m.year
