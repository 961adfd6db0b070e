/* Interaction of industrial agglomeration and economic resilience (agglomeration_resilience, section 5), as coupling
   of two subsystems:
       u = (x - min) / (max - min) over all city-years, x winsorised at 1 % from both ends
       C = 2 sqrt(u1 u2) / (u1 + u2);   T = (u1 + u2) / 2;   D = sqrt(C T)
   u1 = specialisation, diversity, or the mean of both; u2 = yearly resilience. DECISIONS 31. */
with limits as (
    select
        percentile_cont(0.01) within group (order by employment_resilience_index) as low_resilience,
        percentile_cont(0.99) within group (order by employment_resilience_index) as high_resilience,
        percentile_cont(0.01) within group (order by industry_specialisation_index) as low_specialisation,
        percentile_cont(0.99) within group (order by industry_specialisation_index) as high_specialisation,
        percentile_cont(0.01) within group (order by industry_diversity_index) as low_diversity,
        percentile_cont(0.99) within group (order by industry_diversity_index) as high_diversity
    from {{ ref('int_agglomeration_resilience__city_year') }}
),

scaled as (
    select
        y.city_code,
        y.year,
        {{ min_max(clipped('y.employment_resilience_index', 'l.low_resilience', 'l.high_resilience'), 'l.low_resilience', 'l.high_resilience') }}
            as resilience,
        {{ min_max(clipped('y.industry_specialisation_index', 'l.low_specialisation', 'l.high_specialisation'),
            'l.low_specialisation', 'l.high_specialisation') }} as specialisation,
        {{ min_max(clipped('y.industry_diversity_index', 'l.low_diversity', 'l.high_diversity'), 'l.low_diversity', 'l.high_diversity') }} as diversity
    from {{ ref('int_agglomeration_resilience__city_year') }} as y
    cross join limits as l
)

select
    city_code,
    year,
    round({{ coupling_degree('resilience', '((specialisation + diversity) / 2)') }}, 12) as coupling_degree_index,
    round({{ coupling_coordination('resilience', '((specialisation + diversity) / 2)') }}, 12) as interaction_index,
    round({{ coupling_coordination('resilience', 'specialisation') }}, 12) as specialisation_coupling_index,
    round({{ coupling_coordination('resilience', 'diversity') }}, 12) as diversity_coupling_index
from scaled
where resilience is not null
