/* One row a city, HS2002 product and year with a quality, with what virtual_agglomeration_quality says of the city in
   the year.
   By city and year first, so that values of a city-year lie together and take little room. */
select
    q.city_code,
    c.city_name_zh,
    c.province_code,
    c.region,
    c.is_central_city,
    c.is_east,
    c.is_middle,
    c.is_west,
    q.hs6_code,
    left(q.hs6_code, 4) as hs4_code,
    q.city_code || left(q.hs6_code, 4) as city_hs4_code,
    q.year,
    q.quality_index,
    q.ordinary_quality_index,
    q.processing_quality_index,
    q.intermediate_quality_index,
    q.final_quality_index,
    q.quality_value_usd,
    q.exporters_n,
    {% for name in quality_city_columns() %}
    c.{{ name }},
    {% endfor %}
    c.ln_export_diversification
from {{ ref('int_virtual_agglomeration_quality__city_hs6') }} as q
inner join {{ ref('int_virtual_agglomeration_quality__city_year') }} as c on q.city_code = c.city_code and q.year = c.year
order by q.city_code, q.year, q.hs6_code
