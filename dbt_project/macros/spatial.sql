{#- Great-circle distance in km between two points in degrees, on a sphere of radius 6371.0088 km. -#}
{% macro great_circle_km(longitude_1, latitude_1, longitude_2, latitude_2) -%}
    2 * 6371.0088 * asin(sqrt(
        power(sin(radians({{ latitude_2 }} - {{ latitude_1 }}) / 2), 2)
        + cos(radians({{ latitude_1 }})) * cos(radians({{ latitude_2 }}))
        * power(sin(radians({{ longitude_2 }} - {{ longitude_1 }}) / 2), 2)
    ))
{%- endmacro %}

{#- The spatial lag of panel columns: for each row, the weighted mean of its neighbours' values in the same year.

        w_x(i, t) = sum_j w(i, j) x(j, t) / sum_j w(i, j),   j over i's neighbours whose x is known in t

    relation  one row a city_code and `time` (pass time=none for a cross-section: one row a city_code)
    column    a column of it, or a list of them; the result has the keys and w_<column> for each
    weights   city_code, neighbour_code, weight: int_spatial__contiguity, int_spatial__inverse_distance, int_spatial__k_nearest

    Weights are divided again by their sum over the neighbours that are there, so that a gap in one neighbour is not
    taken for a zero. A city none of whose neighbours has a value (an island) has a null lag, where
    analysis.estimators lays out zero. A city's own value does not count, so that its lag is there where its value is
    missing. Values are summed exactly to 15 decimals: the order of rows changes no bit. DECISIONS 32. -#}
{% macro spatial_lag(relation, column, weights, time='year') -%}
{%- set columns = [column] if column is string else column -%}
select
    own.city_code,
    {% if time %}
    own.{{ time }},
    {% endif %}
    {% for name in columns %}
    {{ exact_sum('links.weight * theirs.' ~ name) }}
    / nullif({{ exact_sum('case when theirs.' ~ name ~ ' is not null then links.weight end') }}, 0) as w_{{ name }}{{ ',' if not loop.last }}
    {% endfor %}
from {{ relation }} as own
left join {{ weights }} as links on own.city_code = links.city_code
left join {{ relation }} as theirs on links.neighbour_code = theirs.city_code{{ ' and own.' ~ time ~ ' = theirs.' ~ time if time }}
group by own.city_code{{ ', own.' ~ time if time }}
{%- endmacro %}
