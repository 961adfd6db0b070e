/* Each city with its nearest sea port: great-circle distance from the city's centroid, in km. */
with distances as (
    select
        c.city_code,
        p.port_name_zh,
        {{ great_circle_km('c.longitude', 'c.latitude', 'p.longitude', 'p.latitude') }} as port_distance_km
    from {{ ref('cities') }} as c
    cross join {{ ref('stg_geography__ports') }} as p
),

ranked as (
    select
        *,
        row_number() over (partition by city_code order by port_distance_km, port_name_zh) as place
    from distances
)

select
    city_code,
    port_name_zh as nearest_port_zh,
    port_distance_km
from ranked
where place = 1
