/* One row a city and year in which any source speaks of it. Missing is null, never zero. */
with keys as (
    select
        city_code,
        year
    from {{ ref('int_city__indicators') }}
    where year between {{ var('first_year') }} and {{ var('last_year') }}
    union
    select
        city_code,
        year
    from {{ ref('int_trade__city_year') }}
    union
    select
        city_code,
        year
    from {{ ref('int_finance__city_year') }}
    where year between {{ var('first_year') }} and {{ var('last_year') }}
),

zones as (
    select
        city_code,
        max(first_year) filter (where policy = 'cross_border_ecommerce') as ecommerce_zone_year,
        max(first_year) filter (where policy = 'broadband_china') as broadband_china_year,
        max(first_year) filter (where policy = 'big_data') as big_data_zone_year
    from {{ ref('int_policy__city_zone') }}
    group by city_code
)

select
    k.city_code,
    c.city_name_zh,
    c.city_name_en,
    c.province_code,
    c.province_name_zh,
    c.region,
    c.tier,
    k.year,
    k.year >= c.prefecture_city_since as is_prefecture_city,
    (t.value_cents / 100)::decimal(20, 2) as export_value_usd,
    t.hs6_n,
    t.destination_n,
    t.exporters_n,
    t.filled_postcode_cents::double / nullif(t.value_cents::double, 0) as filled_postcode_share,
    i.gdp_cny,
    {{ at_2000_prices('i.gdp_cny', 'p.gdp_deflator_2000') }} as gdp_cny_2000,
    p.gdp_deflator_2000,
    p.deflator_method,
    i.gdp_vintage,
    i.gdp_index_pct - 100 as gdp_growth_pct,
    i.gdp_cny / nullif(coalesce(i.population_resident_n, i.population_registered_n), 0) as gdp_per_head_cny,
    i.gdp_primary_cny,
    i.gdp_secondary_cny,
    i.gdp_tertiary_cny,
    i.gdp_tertiary_cny / nullif(i.gdp_primary_cny + i.gdp_secondary_cny + i.gdp_tertiary_cny, 0) as tertiary_share,
    i.gdp_tertiary_cny / nullif(i.gdp_secondary_cny, 0) as structure_ratio,
    i.gdp_cny / 1e8 / nullif(i.area_km2, 0) as agglomeration,
    {% for name in city_indicators() if not name.startswith('gdp_') %}
    i.{{ name }},
    {% endfor %}
    {% for name in district_indicators() %}
    i.district_{{ name }},
    {% endfor %}
    coalesce(i.has_interpolated, false) as has_interpolated,
    b.note as boundary_note,
    x.cny_per_usd,
    i.fdi_usd * x.cny_per_usd as fdi_cny,
    {{ at_2000_prices('i.fdi_usd * x.cny_per_usd', 'p.gdp_deflator_2000') }} as fdi_cny_2000,
    (i.imports_cny + i.exports_cny) / nullif(i.gdp_cny, 0) as openness_share,
    i.fdi_usd * x.cny_per_usd / nullif(i.gdp_cny, 0) as fdi_share,
    i.registered_unemployed_n / nullif(i.registered_unemployed_n + i.employees_n, 0) as unemployment_share,
    i.fiscal_revenue_cny / nullif(i.fiscal_expenditure_cny, 0) as fiscal_self_sufficiency_share,
    i.science_expenditure_cny / nullif(i.fiscal_expenditure_cny, 0) as science_share,
    i.loans_cny / nullif(i.deposits_cny, 0) as loan_deposit_share,
    f.digital_finance_index,
    f.coverage_breadth_index,
    f.usage_depth_index,
    f.digitisation_level_index,
    d.port_distance_km,
    d.seat_port_distance_km,
    z.ecommerce_zone_year,
    z.broadband_china_year,
    z.big_data_zone_year
from keys as k
inner join {{ ref('cities') }} as c on k.city_code = c.city_code
left join {{ ref('int_trade__city_year') }} as t on k.city_code = t.city_code and k.year = t.year
left join {{ ref('int_city__indicators') }} as i on k.city_code = i.city_code and k.year = i.year
left join {{ ref('int_prices__city_deflator') }} as p on k.city_code = p.city_code and k.year = p.year
left join {{ ref('stg_prices__exchange_rates') }} as x on k.year = x.year
left join {{ ref('int_finance__city_year') }} as f on k.city_code = f.city_code and k.year = f.year
left join {{ ref('int_geography__port_distance') }} as d on k.city_code = d.city_code
left join zones as z on k.city_code = z.city_code
left join {{ ref('boundary_notes') }} as b on k.city_code = b.city_code and k.year <= b.last_year
order by k.city_code, k.year
