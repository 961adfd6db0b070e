/* One row a city and year, 2009-2020, of agglomeration_resilience's 241 cities: yearly resilience (to 2019),
   agglomeration, what couples them and what determines that (tables 1, 9, 10). High and low: above or not above the
   year's mean of the sample.
   Lags over bordering cities of the sample. DECISIONS 30, 31, 32, 55. */
with lags as (
    {{ spatial_lag(
        ref('int_agglomeration_resilience__city_year'),
        ['employment_resilience_index', 'common_rate_resilience_index', 'industry_specialisation_index', 'industry_diversity_index'],
        ref('int_spatial__contiguity')
    ) }}
)

select
    y.city_code,
    c.city_name_zh,
    c.province_code,
    c.region,
    c.tier,
    k.commercial_tier,
    {{ four_tiers('k.commercial_tier') }} as commercial_tier_group,
    k.is_coastal,
    y.year,
    y.employment_resilience_index,
    y.industry_specialisation_index,
    y.specialised_section_code,
    y.industry_diversity_index,
    y.common_rate_resilience_index,
    y.growth_change_pct,
    y.growth_gap_pct,
    y.output_specialisation_index,
    y.gini_diversity_index,
    {% for name in agglomeration_resilience_controls() %}
    y.{{ name }},
    {% endfor %}
    l.w_employment_resilience_index,
    l.w_common_rate_resilience_index,
    l.w_industry_specialisation_index,
    l.w_industry_diversity_index,
    y.industry_specialisation_index > {{ exact_mean_over('y.industry_specialisation_index', 'partition by y.year') }} as is_high_specialisation,
    y.industry_diversity_index > {{ exact_mean_over('y.industry_diversity_index', 'partition by y.year') }} as is_high_diversity,
    u.coupling_degree_index,
    u.interaction_index,
    u.specialisation_coupling_index,
    u.diversity_coupling_index,
    {% for name in agglomeration_resilience_determinants() %}
    y.{{ name }},
    {% endfor %}
    h.has_railway_1933,
    h.population_density_1984,
    y.has_interpolated
from {{ ref('int_agglomeration_resilience__city_year') }} as y
inner join {{ ref('cities') }} as c on y.city_code = c.city_code
left join lags as l on y.city_code = l.city_code and y.year = l.year
left join {{ ref('int_agglomeration_resilience__coupling') }} as u on y.city_code = u.city_code and y.year = u.year
left join {{ ref('int_city__groups') }} as k on y.city_code = k.city_code
left join {{ ref('int_history__city') }} as h on y.city_code = h.city_code
order by y.city_code, y.year
