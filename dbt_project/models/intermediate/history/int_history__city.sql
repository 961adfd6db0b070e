/* Historical instruments of each city of the spine that any list names; of two lists for one thing the one whose file
   comes first counts, and of two names in one list (襄樊, 襄阳) the present one. A city merged into another later (莱芜) says
   nothing about that one. DECISIONS 29. */
{% set names = ['post_offices_1984_n', 'telephones_1984_n', 'population_density_1984', 'has_railway_1933'] %}
with named as (
    select
        n.city_code,
        {% for name in names %}
        h.{{ name }},
        {% endfor %}
        h.district_land_area_km2,
        row_number() over (partition by n.city_code order by h.file_id, n.relation <> 'current', h.line) as place
    from {{ ref('stg_history__cities') }} as h
    inner join {{ ref('int_geography__city_name') }} as n on h.city_name = n.city_name
    where n.city_code is not null and n.relation <> 'merged'
)

select
    city_code,
    {% for name in names %}
    min_by({{ name }}, place) filter (where {{ name }} is not null) as {{ name }},
    {% endfor %}
    min_by(district_land_area_km2, place) filter (where district_land_area_km2 is not null) as district_land_area_km2
from named
group by city_code
