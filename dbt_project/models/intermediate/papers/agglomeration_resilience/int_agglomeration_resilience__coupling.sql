/* Interaction of industrial agglomeration and economic resilience (agglomeration_resilience, section 5), as coupling
   of two subsystems:
       u = (x - min) / (max - min) over all city-years, x winsorised at 1 % from both ends
       C = 2 sqrt(u1 u2) / (u1 + u2);   T = (u1 + u2) / 2;   D = sqrt(C T)
   u1 = specialisation, diversity, or the mean of both; u2 = yearly resilience by the printed formula.
   DECISIONS 31, 53, 55. */
{% set parts = {
    'resilience': 'common_rate_resilience_index', 'specialisation': 'industry_specialisation_index', 'diversity': 'industry_diversity_index'
} %}
with limits as (
    select
        {% for part, name in parts.items() %}
        {{ stata_percentile(name, 1) }} as low_{{ part }},
        {{ stata_percentile(name, 99) }} as high_{{ part }},
        {% endfor %}
        count(*) as rows_n
    from {{ ref('int_agglomeration_resilience__city_year') }}
),

scaled as (
    select
        y.city_code,
        {% for part, name in parts.items() %}
        {{ min_max(clipped('y.' ~ name, 'l.low_' ~ part, 'l.high_' ~ part), 'l.low_' ~ part, 'l.high_' ~ part) }} as {{ part }},
        {% endfor %}
        y.year
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
