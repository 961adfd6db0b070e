/* Each city with its nearest sea port: great-circle distance from the city's centroid, in km. */
with distances as (
    select
        c.city_code,
        p.port_name_zh,
        {{ great_circle_km('c.longitude', 'c.latitude', 'p.longitude', 'p.latitude') }} as port_distance_km
    from {{ ref('cities') }} as c
    cross join {{ ref('stg_geography__ports') }} as p
)

select
    city_code,
    min_by(port_name_zh, port_distance_km) as nearest_port_zh,
    min(port_distance_km) as port_distance_km
from distances
group by city_code
