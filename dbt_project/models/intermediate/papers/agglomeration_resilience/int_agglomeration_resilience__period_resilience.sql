/* Resilience of a city over a period of several years, from one-year counterfactuals summed, so that the error of a
   forecast does not grow with its horizon:
       ER = (sum_t A_t - sum_t C_t) / |sum_t C_t|,   t from the period's first year to the one before its last
   A and C of idx_employment_resilience, C by industry and, as printed, by one rate. Only where every year of the period is
   there that any city has; first_year and last_year say from which to which employment changes. Periods: seeds/judgments/
   resilience_periods.csv. DECISIONS 31, 55, 60. */
with periods as (
    select
        p.period,
        min(r.year) as first_year,
        max(r.year) as last_year,
        count(distinct r.year) as years_n
    from {{ ref('resilience_periods') }} as p
    inner join {{ ref('idx_employment_resilience') }} as r on p.first_year <= r.year and p.last_year > r.year
    group by p.period
),

summed as (
    select
        r.city_code,
        p.period,
        max(p.first_year) as first_year,
        max(p.last_year) as last_year,
        {{ exact_sum('r.employment_change_n') }} as employment_change_n,
        {{ exact_sum('r.counterfactual_change_n') }} as counterfactual_change_n,
        {{ exact_sum('r.common_counterfactual_change_n') }} as common_counterfactual_change_n,
        {{ exact_mean('r.employment_resilience_index') }} as mean_annual_resilience_index,
        {{ exact_mean('r.common_rate_resilience_index') }} as mean_annual_common_rate_index
    from {{ ref('idx_employment_resilience') }} as r
    inner join periods as p on r.year between p.first_year and p.last_year
    group by r.city_code, p.period
    having count(*) = max(p.years_n)
)

select
    city_code,
    period,
    first_year,
    last_year,
    employment_change_n,
    counterfactual_change_n,
    round((employment_change_n - counterfactual_change_n) / nullif(abs(counterfactual_change_n), 0), 12) as employment_resilience_index,
    round((employment_change_n - common_counterfactual_change_n) / nullif(abs(common_counterfactual_change_n), 0), 12)
        as common_rate_resilience_index,
    mean_annual_resilience_index,
    mean_annual_common_rate_index
from summed
