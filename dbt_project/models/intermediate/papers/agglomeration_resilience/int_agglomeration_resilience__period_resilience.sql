/* Resilience of a city over a period of several years, from one-year counterfactuals summed, so that the error of a
   forecast does not grow with its horizon:
       ER = (sum_t A_t - sum_t C_t) / |sum_t C_t|,   t from the year after the period's first to its last
   A and C of idx_employment_resilience. Only where every year of the period is there. Periods: seeds/judgments/
   resilience_periods.csv. DECISIONS 31. */
with summed as (
    select
        r.city_code,
        p.period,
        {{ exact_sum('r.employment_change_n') }} as employment_change_n,
        {{ exact_sum('r.counterfactual_change_n') }} as counterfactual_change_n,
        {{ exact_mean('r.employment_resilience_index') }} as mean_annual_resilience_index
    from {{ ref('idx_employment_resilience') }} as r
    inner join {{ ref('resilience_periods') }} as p on r.year > p.first_year and r.year <= p.last_year
    group by r.city_code, p.period
    having count(*) = max(p.last_year - p.first_year)
)

select
    city_code,
    period,
    employment_change_n,
    counterfactual_change_n,
    round((employment_change_n - counterfactual_change_n) / nullif(abs(counterfactual_change_n), 0), 12) as employment_resilience_index,
    mean_annual_resilience_index
from summed
