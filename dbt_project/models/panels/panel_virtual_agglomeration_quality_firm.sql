/* One row a city, matched firm and year with a quality, with what virtual_agglomeration_quality says of the city in the
   year.
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
    q.firm_code,
    q.firm_id,
    q.year,
    q.match_method,
    q.industry_code,
    q.quality_index,
    q.ordinary_quality_index,
    q.processing_quality_index,
    q.intermediate_quality_index,
    q.final_quality_index,
    q.quality_value_usd,
    q.quality_hs6_n,
    q.ln_firm_age,
    q.ln_employees,
    q.ln_capital_per_employee,
    {% for name in quality_city_columns() %}
    c.{{ name }},
    {% endfor %}
    c.ln_export_diversification
from {{ ref('int_virtual_agglomeration_quality__city_firm') }} as q
inner join {{ ref('int_virtual_agglomeration_quality__city_year') }} as c on q.city_code = c.city_code and q.year = c.year
order by q.city_code, q.year, q.firm_code
