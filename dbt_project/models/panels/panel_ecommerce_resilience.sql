/* ecommerce_resilience's regression sample: 2012-2021, cities with every indicator and control in all ten years
   (int_ecommerce_resilience__sample).
       zone_did = 1 from the year in which the city's cross-border e-commerce zone was approved, batches of 2015-2020
       (the paper's first five); zone_lagged_did = zone_did of the year before, so null in 2012
       event_time = year - year of approval; the dummies of event time go from four years before to four after, with all
       earlier years in the first and all later ones in the last; the year before is the paper's base
   ecommerce_zone_cohort = the year of approval, 0 where none came: estimators take an empty cohort for an unknown one.
   Where no zone was delivered at all these are null, not 0. Gaps between known years are interpolated and flagged
   column by column. openness_scope says whether openness counts imports. DECISIONS 16, 17, 37, 58, 60. */
{% set filled = ['agglomeration', 'openness_share', 'fdi_share', 'science_share', 'fdi_cny', 'innovation_index', 'tertiary_employment_share'] %}
with variables as (
    select
        city_code,
        year,
        {% for name in filled %}
        max(value) filter (where variable = '{{ name }}') as {{ name }},
        bool_or(is_interpolated) filter (where variable = '{{ name }}') as is_{{ name }}_interpolated,
        {% endfor %}
        trim(
            {% for name in ecommerce_resilience_indicators() %}
            {{ '|| ' if not loop.first }}case when bool_or(is_interpolated) filter (where variable = '{{ name }}') then '{{ name }} ' else '' end
            {% endfor %}
        ) as interpolated_indicators,
        bool_or(is_interpolated) filter (
            where variable in (
                {% for name in digital_level_indicators() %}
                '{{ name }}'{{ ',' if not loop.last }}
                {% endfor %}
            )
        ) as is_digital_level_index_interpolated,
        bool_or(is_interpolated) as has_interpolated
    from {{ ref('int_ecommerce_resilience__variable') }}
    group by city_code, year
),

zoned as (
    select
        city_code,
        year,
        case when ecommerce_zone_year <= 2020 then ecommerce_zone_year end as ecommerce_zone_year,
        case when ecommerce_zone_year <= 2020 then year - ecommerce_zone_year end as event_time,
        count(ecommerce_zone_year) over () > 0 as has_zones,
        count(broadband_china_year) over () > 0 as has_broadband
    from {{ ref('city_year') }}
)

select
    y.city_code,
    y.city_name_zh,
    y.year,
    r.resilience_index,
    h.share_resilience_index,
    case when z.event_time >= 0 then 1 when z.has_zones then 0 end::smallint as zone_did,
    z.ecommerce_zone_year,
    case when z.has_zones then coalesce(z.ecommerce_zone_year, 0) end::smallint as ecommerce_zone_cohort,
    case
        when y.year > 2012 then case when z.event_time >= 1 then 1 when z.has_zones then 0 end
    end::smallint as zone_lagged_did,
    z.event_time::smallint as event_time,
    {% for years in range(4, 0, -1) %}
    case when z.event_time {{ '<=' if loop.first else '=' }} -{{ years }} then 1 when z.has_zones then 0 end::smallint as zone_lead_{{ years }}_did,
    {% endfor %}
    {% for years in range(5) %}
    case when z.event_time {{ '>=' if loop.last else '=' }} {{ years }} then 1 when z.has_zones then 0 end::smallint as zone_lag_{{ years }}_did,
    {% endfor %}
    case when y.broadband_china_year <= y.year then 1 when z.has_broadband then 0 end::smallint as broadband_did,
    v.agglomeration,
    v.openness_share,
    m.openness_scope,
    v.fdi_share,
    v.science_share,
    {{ safe_ln('v.fdi_cny / 10000') }} as ln_fdi,
    d.digital_level_index,
    d.digital_level_scaled_index,
    v.innovation_index,
    {{ safe_ln('v.innovation_index') }} as ln_innovation_index,
    v.tertiary_employment_share,
    y.digital_finance_index,
    y.tier,
    y.region,
    s.is_large_city,
    s.is_central_city,
    s.is_resource_based,
    v.interpolated_indicators <> '' as is_resilience_index_interpolated,
    v.interpolated_indicators,
    {% for name in filled if name != 'fdi_cny' %}
    v.is_{{ name }}_interpolated,
    {% endfor %}
    v.is_fdi_cny_interpolated as is_ln_fdi_interpolated,
    v.is_digital_level_index_interpolated,
    v.has_interpolated or coalesce(y.has_interpolated, false) as has_interpolated
from variables as v
inner join {{ ref('int_ecommerce_resilience__sample') }} as s on v.city_code = s.city_code
inner join {{ ref('city_year') }} as y on v.city_code = y.city_code and v.year = y.year
inner join zoned as z on v.city_code = z.city_code and v.year = z.year
inner join {{ ref('idx_economic_resilience') }} as r on v.city_code = r.city_code and v.year = r.year
left join {{ ref('idx_economic_resilience_shares') }} as h on v.city_code = h.city_code and v.year = h.year
left join {{ ref('int_ecommerce_resilience__measured') }} as m on v.city_code = m.city_code and v.year = m.year
left join {{ ref('idx_digital_level') }} as d on v.city_code = d.city_code and v.year = d.year
order by y.city_code, y.year
