/* Everything that agglomeration_resilience's panels hold by city and year, for the cities of its sample, 2009-2020.
   Resilience of a year is that from it to the next, so it ends in 2019: the yearbooks 2010-2021 print no year after 2020.
   DECISIONS 31, 55. */
select
    s.city_code,
    a.year,
    case when a.year < 2020 then r.employment_resilience_index end as employment_resilience_index,
    a.industry_specialisation_index,
    a.specialised_section_code,
    a.industry_diversity_index,
    case when a.year < 2020 then r.common_rate_resilience_index end as common_rate_resilience_index,
    v.growth_change_pct,
    v.growth_gap_pct,
    o.output_specialisation_index,
    a.gini_diversity_index,
    {% for name in agglomeration_resilience_controls() + agglomeration_resilience_determinants() %}
    v.{{ name }},
    {% endfor %}
    a.has_interpolated
from {{ ref('int_agglomeration_resilience__sample') }} as s
inner join {{ ref('idx_industry_agglomeration') }} as a on s.city_code = a.city_code
left join {{ ref('idx_employment_resilience') }} as r on a.city_code = r.city_code and a.year = r.year
left join {{ ref('int_agglomeration_resilience__variable') }} as v on a.city_code = v.city_code and a.year = v.year
left join {{ ref('idx_output_specialisation') }} as o on a.city_code = o.city_code and a.year = o.year
where a.year between 2009 and 2020
