/* One row a city and year, 2011-2021, of digital_export_resilience's 289 cities: the spine without Tibet, 儋州 and 固原
   (seeds/judgments/digital_exclusions.csv). Controls as int_digital_export_resilience__control names them. Groups:
   coastal provinces of the paper's footnote; high foreign investment by the median of the cities' means; market by
   where more than half of the exports goes; big-data zone in force from the year of approval; null, not 0, where no
   zone was delivered at all; cohort 0: never. Readings of equation 2 beside each other; scaled_export_resilience_index, winsorised at 1 % from
   both ends over the panel and scaled to 0-1, is the one of the tables. Widely exporting: to more than three destinations, so
   false without exports in a year that has any. export_scope says whether resilience is of customs' exports or, without
   any, of the yearbook's. DECISIONS 33, 34, 35, 36, 56, 60. */
with sample as (
    select
        y.*,
        {{ exact_mean_over('y.fdi_share', 'partition by y.city_code') }} as mean_fdi_share,
        count(y.big_data_zone_year) over () > 0 as has_zones,
        r.export_scope,
        r.export_resilience_index,
        r.rate_export_resilience_index,
        r.both_hats_export_resilience_index,
        r.export_deviation_2008_ratio,
        r.weighted_export_resilience_index
    from {{ ref('city_year') }} as y
    left join {{ ref('idx_export_resilience') }} as r on y.city_code = r.city_code and y.year = r.year
    left join {{ ref('digital_exclusions') }} as e on y.city_code = e.city_code
    where e.city_code is null and y.year between 2011 and 2021
),

city_means as (
    select distinct
        city_code,
        mean_fdi_share
    from sample
),

median_city as (
    select percentile_cont(0.5) within group (order by mean_fdi_share) as median_fdi_share
    from city_means
    where mean_fdi_share is not null
),

limits as (
    select
        {{ stata_percentile('export_resilience_index', 1) }} as low,
        {{ stata_percentile('export_resilience_index', 99) }} as high
    from sample
)

select
    y.city_code,
    y.city_name_zh,
    y.province_code,
    y.year,
    y.export_scope,
    y.export_scope is not null as is_whole_city,
    y.export_resilience_index,
    {{ clipped('y.export_resilience_index', 'l.low', 'l.high') }} as export_resilience_index_winsorised,
    {{ min_max(clipped('y.export_resilience_index', 'l.low', 'l.high'), 'l.low', 'l.high') }} as scaled_export_resilience_index,
    y.rate_export_resilience_index,
    y.both_hats_export_resilience_index,
    d.digital_economy_index,
    d.digital_economy_pca_index,
    y.export_deviation_2008_ratio,
    y.weighted_export_resilience_index,
    m.market_diversity_index,
    m.destination_hhi,
    {% for name in [
        'gdp_per_head_cny', 'gdp_per_head_cny_2000', 'fdi_share', 'fiscal_self_sufficiency_share', 'ln_population_density', 'finance_ratio',
        'marketisation_index', 'is_marketisation_extrapolated', 'science_gdp_share', 'pollution_investment_share', 'structure_ratio'
    ] %}
    c.{{ name }},
    {% endfor %}
    e.innovation_allocation_sfa_index,
    e.innovation_allocation_dea_index,
    s.export_sophistication_usd,
    1 / nullif(y.port_distance_km, 0) as foreign_market_access_per_km,
    h.post_offices_1984_n * c.internet_ports_n as post_office_instrument,
    h.telephones_1984_n * c.internet_ports_n as telephone_instrument,
    y.big_data_zone_year,
    case when y.has_zones then coalesce(y.big_data_zone_year, 0) end::smallint as big_data_zone_cohort,
    case when y.big_data_zone_year <= y.year then 1 when y.has_zones then 0 end::smallint as big_data_did,
    case when y.has_zones then y.big_data_zone_year is not null end as is_big_data_city,
    (y.year - y.big_data_zone_year)::smallint as big_data_event_time,
    y.province_code in ('33', '32', '45', '44', '13', '12', '21', '37', '31', '35') as is_coastal_province,
    y.mean_fdi_share > n.median_fdi_share as is_high_fdi,
    m.belt_and_road_share,
    m.belt_and_road_share > 0.5 as is_belt_and_road_market,
    m.risk_exposure_pct,
    m.is_high_risk_exposure,
    m.whole_city_export_value_usd,
    m.whole_city_destination_n,
    case
        when count(m.whole_city_destination_n) over (partition by y.year) > 0 then coalesce(m.whole_city_destination_n, 0) > 3
    end as is_widely_exporting,
    trim(i.interpolated_indicators || ' ' || c.interpolated_controls || ' ' || a.interpolated_resources) as interpolated_variables
from sample as y
cross join median_city as n
cross join limits as l
left join {{ ref('idx_digital_economy') }} as d on y.city_code = d.city_code and y.year = d.year
left join {{ ref('idx_market_diversity') }} as m on y.city_code = m.city_code and y.year = m.year
left join {{ ref('int_digital_export_resilience__control') }} as c on y.city_code = c.city_code and y.year = c.year
left join {{ ref('int_digital_export_resilience__indicator') }} as i on y.city_code = i.city_code and y.year = i.year
left join {{ ref('int_digital_export_resilience__innovation_resource') }} as a on y.city_code = a.city_code and y.year = a.year
left join {{ ref('idx_innovation_allocation') }} as e on y.city_code = e.city_code and y.year = e.year
left join {{ ref('idx_export_sophistication') }} as s on y.city_code = s.city_code and y.year = s.year
left join {{ ref('int_history__city') }} as h on y.city_code = h.city_code
order by y.city_code, y.year
