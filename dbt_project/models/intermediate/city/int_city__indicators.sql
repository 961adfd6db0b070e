/* Each city and year with the chosen value of every indicator: the whole city, and some for its districts. */
select
    city_code,
    year,
    {% for name in city_indicators() %}
    max(value) filter (where indicator = '{{ name }}' and scope = 'city') as {{ name }},
    {% endfor %}
    {% for name in district_indicators() %}
    max(value) filter (where indicator = '{{ name }}' and scope = 'district') as district_{{ name }},
    {% endfor %}
    max(vintage) filter (where indicator = 'gdp_cny' and scope = 'city') as gdp_vintage,
    coalesce(bool_or(is_interpolated), false) as has_interpolated
from {{ ref('int_city__indicator_vintages') }}
where is_chosen
group by city_code, year
