/* agglomeration_resilience's cross-section: each city of the sample once. Resilience over the periods of
   seeds/judgments/resilience_periods.csv; everything else as the mean over the years 2009-2020 in which it is known.
   DECISIONS 31. */
{% set means = [
    'growth_change_pct', 'industry_specialisation_index', 'industry_diversity_index', 'output_specialisation_index', 'gini_diversity_index'
] + agglomeration_resilience_controls() %}
with periods as (
    select
        city_code,
        max(case when period = 'whole' then employment_resilience_index end) as employment_resilience_index,
        max(case when period = 'rise' then employment_resilience_index end) as rise_resilience_index,
        max(case when period = 'fall' then employment_resilience_index end) as fall_resilience_index,
        max(case when period = 'whole' then mean_annual_resilience_index end) as mean_annual_resilience_index
    from {{ ref('int_agglomeration_resilience__period_resilience') }}
    group by city_code
),

averaged as (
    select
        city_code,
        {% for name in means %}
        {{ exact_mean(name) }} as {{ name }},
        {% endfor %}
        bool_or(has_interpolated) as has_interpolated
    from {{ ref('int_agglomeration_resilience__city_year') }}
    group by city_code
)

select
    a.city_code,
    p.employment_resilience_index,
    p.rise_resilience_index,
    p.fall_resilience_index,
    p.mean_annual_resilience_index,
    {% for name in means %}
    a.{{ name }},
    {% endfor %}
    a.has_interpolated
from averaged as a
left join periods as p on a.city_code = p.city_code
