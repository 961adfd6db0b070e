/* agglomeration_exports's variables of each city and year, 2003-2011, known or not: cities of the prefecture level by
   the end of 2010.
   Agglomeration: ln non-agricultural population of the districts. Unemployment: ln of registered unemployed over
   registered unemployed plus employees. Controls: ln(1 + x), x in the yearbook's own units. Where a quantity is printed for
   the districts it is theirs, else the whole city's, and whole_city_variables names it; the distance to the sea is that of
   the seat of government, else of the middle of the city's area. lagged_: the outcome of the year before, whether or not
   that year is in the sample. Where these years have no customs record at all, exports are the yearbook's of the whole
   city in USD (export_scope), and products and destinations unknown. DECISIONS 15, 28, 52, 53, 54, 60. */
{% set scoped = {
    'unemployment': 'y.{scope}registered_unemployed_n / nullif(y.{scope}registered_unemployed_n + y.{scope}employees_n, 0)',
    '1p_students': '1 + y.{scope}university_students_n / nullif(y.{scope}population_registered_n, 0) * 10000',
    '1p_fdi': '1 + y.{scope}fdi_usd * y.cny_per_usd / 10000',
    '1p_port_distance': '1 + y.{scope}port_distance_km'
} %}
with held as (
    select count(export_value_usd) > 0 as has_customs
    from {{ ref('city_year') }}
    where year between 2003 and 2011
),

exporting as (
    select
        y.*,
        case when h.has_customs then 'customs_district' when y.exports_cny is not null then 'yearbook_city' end as export_scope,
        case when h.has_customs then y.export_value_usd::double else y.exports_cny / nullif(y.cny_per_usd, 0) end as exports_usd
    from {{ ref('city_year') }} as y
    cross join held as h
),

scopes as (
    select
        y.*,
        {% for name, formula in scoped.items() %}
        {{ safe_ln(formula | replace('{scope}', 'seat_' if name == '1p_port_distance' else 'district_')) }} as district_ln_{{ name }},
        {{ safe_ln(formula | replace('{scope}', '')) }} as city_ln_{{ name }},
        {% endfor %}
        b.exports_usd as lagged_exports_usd,
        b.hs6_n as lagged_hs6_n,
        b.destination_n as lagged_destination_n
    from exporting as y
    left join exporting as b on y.city_code = b.city_code and y.year = b.year + 1
    where y.year between 2003 and 2011
)

select
    y.city_code,
    y.city_name_zh,
    y.year,
    y.export_value_usd,
    y.hs6_n,
    y.destination_n,
    y.export_scope,
    y.export_scope <> 'customs_district' as is_whole_city,
    y.exports_usd,
    {{ safe_ln('y.exports_usd') }} as ln_export_value,
    {{ safe_ln('y.hs6_n') }} as ln_hs6,
    {{ safe_ln('y.destination_n') }} as ln_destination,
    {{ safe_ln('y.lagged_exports_usd') }} as lagged_ln_export_value,
    {{ safe_ln('y.lagged_hs6_n') }} as lagged_ln_hs6,
    {{ safe_ln('y.lagged_destination_n') }} as lagged_ln_destination,
    y.district_population_nonagricultural_n,
    {{ safe_ln('y.district_population_nonagricultural_n') }} as ln_agglomeration,
    g.growth_resilience_index,
    g.ln_growth_resilience,
    g.ln_moving_resilience,
    g.ln_whole_city_growth_resilience,
    g.ln_whole_city_moving_resilience,
    y.district_registered_unemployed_n,
    coalesce(y.district_ln_unemployment, y.city_ln_unemployment) as ln_unemployment,
    y.city_ln_unemployment as ln_whole_city_unemployment,
    p.ln_productivity,
    p.ln_productivity_op,
    p.ln_productivity_acf,
    coalesce(y.district_ln_1p_students, y.city_ln_1p_students) as ln_1p_students,
    y.city_ln_1p_students as ln_1p_whole_city_students,
    {{ safe_ln('1 + y.district_science_expenditure_cny / 10000') }} as ln_1p_science_expenditure,
    coalesce(y.district_ln_1p_port_distance, y.city_ln_1p_port_distance) as ln_1p_port_distance,
    y.city_ln_1p_port_distance as ln_1p_whole_city_port_distance,
    coalesce(y.district_ln_1p_fdi, y.city_ln_1p_fdi) as ln_1p_fdi,
    y.city_ln_1p_fdi as ln_1p_whole_city_fdi,
    {{ safe_ln('1 + y.road_area_per_head_m2') }} as ln_1p_road_area,
    {{ safe_ln('1 + y.district_area_km2') }} as ln_1p_district_area,
    case when l.zones_n > 0 then coalesce(y.year >= c.development_zone_year, false)::integer end as development_zone_did,
    trim(
        case when g.is_growth_resilience_whole_city then 'ln_growth_resilience ' else '' end
        || case when g.is_moving_resilience_whole_city then 'ln_moving_resilience ' else '' end
        {% for name in scoped %}
        || case when y.district_ln_{{ name }} is null and y.city_ln_{{ name }} is not null then 'ln_{{ name }} ' else '' end
        {% endfor %}
    ) as whole_city_variables,
    y.region,
    c.region_group,
    {{ city_size('y.district_population_nonagricultural_n') }} as size_group
from scopes as y
inner join {{ ref('cities') }} as s on y.city_code = s.city_code and s.prefecture_city_since <= 2010
inner join {{ ref('int_city__groups') }} as c on y.city_code = c.city_code
cross join (select count(development_zone_year) as zones_n from {{ ref('int_city__groups') }}) as l
left join {{ ref('int_agglomeration_exports__growth') }} as g on y.city_code = g.city_code and y.year = g.year
left join {{ ref('idx_city_productivity') }} as p on y.city_code = p.city_code and y.year = p.year
