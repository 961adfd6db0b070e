/* Sensitivity index of a city's employment from a year to the next (Martin et al. 2016; agglomeration_resilience, section
   3.1), which stands at the year it starts from:
       C_rt = sum_i g_i,t+1 x_irt;   A_rt = sum_i (x_ir,t+1 - x_irt);   ER_rt = (A_rt - C_rt) / |C_rt|
   g_i,t+1 = growth of industry i over all cities. common_rate, the printed formula: one rate for all industries,
   C_rt = g_t+1 sum_i x_irt. C summed over the cities is A summed over them. A counterfactual of zero gives null.
   DECISIONS 30, 55. */
with pairs as (
    select
        b.city_code,
        b.year,
        b.industry_section_code,
        b.industry_employees_n as before_n,
        a.industry_employees_n as after_n
    from {{ ref('int_agglomeration_resilience__industry') }} as a
    inner join {{ ref('int_agglomeration_resilience__industry') }} as b
        on a.city_code = b.city_code and a.industry_section_code = b.industry_section_code and a.year = b.year + 1
),

common as (
    select
        year - 1 as year,
        {{ exact_sum('industry_employees_n - employees_before_n') }} / nullif({{ exact_sum('employees_before_n') }}, 0) as growth
    from {{ ref('int_agglomeration_resilience__national_growth') }}
    group by year
),

changes as (
    select
        p.city_code,
        p.year,
        {{ exact_sum('p.after_n - p.before_n') }} as employment_change_n,
        {{ exact_sum('case when p.before_n = 0 then 0 else p.before_n * g.national_growth_pct / 100 end') }} as counterfactual_change_n,
        {{ exact_sum('p.before_n') }} * max(c.growth) as common_counterfactual_change_n
    from pairs as p
    inner join {{ ref('int_agglomeration_resilience__national_growth') }} as g on p.year + 1 = g.year and p.industry_section_code = g.industry_section_code
    inner join common as c on p.year = c.year
    group by p.city_code, p.year
)

select
    city_code,
    year,
    employment_change_n,
    counterfactual_change_n,
    common_counterfactual_change_n,
    round((employment_change_n - counterfactual_change_n) / nullif(abs(counterfactual_change_n), 0), 12) as employment_resilience_index,
    round((employment_change_n - common_counterfactual_change_n) / nullif(abs(common_counterfactual_change_n), 0), 12) as common_rate_resilience_index
from changes
