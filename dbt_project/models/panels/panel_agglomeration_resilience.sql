/* One row a city: the 241 observations of agglomeration_resilience's regressions. Resilience over the whole period
   2009-2020 or as far as the data reach (resilience_last_year), by industry and by one rate, as printed; everything else as
   the mean of the city's years in it; winsorised at 1 % from both ends, by Stata's percentiles, for the high and low
   groups; lags over bordering cities of the sample. DECISIONS 30, 31, 32, 53, 55, 60. */
{% set core = [
    'employment_resilience_index', 'common_rate_resilience_index', 'industry_specialisation_index', 'industry_diversity_index'
] %}
{% set clipped_names = core + agglomeration_resilience_controls() %}
{% set groups = ['high_specialisation_index', 'low_specialisation_index', 'high_diversity_index', 'low_diversity_index'] %}
with limits as (
    select
        {% for name in clipped_names %}
        {{ stata_percentile(name, 1) }} as low_{{ name }},
        {{ stata_percentile(name, 99) }} as high_{{ name }},
        {% endfor %}
        {{ exact_mean('industry_specialisation_index') }} as mean_specialisation,
        {{ exact_mean('industry_diversity_index') }} as mean_diversity
    from {{ ref('int_agglomeration_resilience__city') }}
),

winsorised as (
    select
        y.*,
        {% for name in clipped_names %}
        {{ clipped('y.' ~ name, 'l.low_' ~ name, 'l.high_' ~ name) }} as {{ name }}_winsorised,
        {% endfor %}
        y.industry_specialisation_index > l.mean_specialisation as is_high_specialisation,
        y.industry_diversity_index > l.mean_diversity as is_high_diversity
    from {{ ref('int_agglomeration_resilience__city') }} as y
    cross join limits as l
),

grouped as (
    select
        w.*,
        case when w.is_high_specialisation then w.industry_specialisation_index_winsorised else 0 end as high_specialisation_index,
        case when w.is_high_specialisation then 0 else w.industry_specialisation_index_winsorised end as low_specialisation_index,
        case when w.is_high_diversity then w.industry_diversity_index_winsorised else 0 end as high_diversity_index,
        case when w.is_high_diversity then 0 else w.industry_diversity_index_winsorised end as low_diversity_index
    from winsorised as w
),

lags as (
    {{ spatial_lag('grouped', core + groups, ref('int_spatial__contiguity'), time=none) }}
)

select
    g.city_code,
    c.city_name_zh,
    c.province_code,
    c.region,
    c.tier,
    k.commercial_tier,
    {{ four_tiers('k.commercial_tier') }} as commercial_tier_group,
    k.is_coastal,
    {% for name in core %}
    g.{{ name }},
    l.w_{{ name }},
    {% endfor %}
    {% for name in agglomeration_resilience_controls() %}
    g.{{ name }},
    {% endfor %}
    g.rise_resilience_index,
    g.fall_resilience_index,
    g.mean_annual_resilience_index,
    g.rise_common_rate_index,
    g.fall_common_rate_index,
    g.mean_annual_common_rate_index,
    g.resilience_last_year,
    g.growth_change_pct,
    g.growth_resilience_pct,
    g.absolute_growth_change_pct,
    g.output_specialisation_index,
    g.gini_diversity_index,
    g.is_high_specialisation,
    g.is_high_diversity,
    {% for name in groups %}
    g.{{ name }},
    l.w_{{ name }},
    {% endfor %}
    {% for name in clipped_names %}
    g.{{ name }}_winsorised,
    {% endfor %}
    h.has_railway_1933,
    h.population_density_1984,
    g.has_interpolated
from grouped as g
inner join {{ ref('cities') }} as c on g.city_code = c.city_code
left join lags as l on g.city_code = l.city_code
left join {{ ref('int_city__groups') }} as k on g.city_code = k.city_code
left join {{ ref('int_history__city') }} as h on g.city_code = h.city_code
order by g.city_code
