/* agglomeration_resilience's cross-section: each city of the sample once. Resilience over the periods of
   seeds/judgments/resilience_periods.csv, as far as the data reach (resilience_last_year); everything else as the mean
   over the years 2009-2020 in which it is known.
   A mean of yearly changes of growth is (last - first) / years whatever happens between, so resilience by growth is the
   mean of what growth falls short of the nation's (0 in a year when it does not), and, beside it, the mean absolute change.
   DECISIONS 31, 55, 60. */
{% set means = [
    'growth_change_pct', 'industry_specialisation_index', 'industry_diversity_index', 'output_specialisation_index', 'gini_diversity_index'
] + agglomeration_resilience_controls() %}
with periods as (
    select
        city_code,
        max(case when period = 'whole' then employment_resilience_index end) as employment_resilience_index,
        max(case when period = 'rise' then employment_resilience_index end) as rise_resilience_index,
        max(case when period = 'fall' then employment_resilience_index end) as fall_resilience_index,
        max(case when period = 'whole' then mean_annual_resilience_index end) as mean_annual_resilience_index,
        max(case when period = 'whole' then common_rate_resilience_index end) as common_rate_resilience_index,
        max(case when period = 'rise' then common_rate_resilience_index end) as rise_common_rate_index,
        max(case when period = 'fall' then common_rate_resilience_index end) as fall_common_rate_index,
        max(case when period = 'whole' then mean_annual_common_rate_index end) as mean_annual_common_rate_index,
        max(case when period = 'whole' then last_year end) as resilience_last_year
    from {{ ref('int_agglomeration_resilience__period_resilience') }}
    group by city_code
),

averaged as (
    select
        city_code,
        {% for name in means %}
        {{ exact_mean(name) }} as {{ name }},
        {% endfor %}
        {{ exact_mean('case when growth_gap_pct < 0 then growth_gap_pct when growth_gap_pct >= 0 then 0 end') }} as growth_resilience_pct,
        {{ exact_mean('abs(growth_change_pct)') }} as absolute_growth_change_pct,
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
    p.common_rate_resilience_index,
    p.rise_common_rate_index,
    p.fall_common_rate_index,
    p.mean_annual_common_rate_index,
    p.resilience_last_year,
    a.growth_resilience_pct,
    a.absolute_growth_change_pct,
    {% for name in means %}
    a.{{ name }},
    {% endfor %}
    a.has_interpolated
from averaged as a
left join periods as p on a.city_code = p.city_code
