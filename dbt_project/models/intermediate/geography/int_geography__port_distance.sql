/* Each city with its nearest sea port: great-circle distance in km from the middle of the city's area, and from its seat
   of government where a delivered list says where that lies. In a large prefecture they differ much: Hangzhou's middle
   lies 173 km from the sea, its seat 96. DECISIONS 52. */
with points as (
    select
        city_code,
        'middle' as point,
        longitude,
        latitude
    from {{ ref('cities') }}
    union all
    select
        city_code,
        'seat' as point,
        longitude,
        latitude
    from {{ ref('int_geography__seat') }}
),

distances as (
    select
        c.city_code,
        c.point,
        p.port_name_zh,
        {{ great_circle_km('c.longitude', 'c.latitude', 'p.longitude', 'p.latitude') }} as port_distance_km
    from points as c
    cross join {{ ref('stg_geography__ports') }} as p
),

ranked as (
    select
        *,
        row_number() over (partition by city_code, point order by port_distance_km, port_name_zh) as place
    from distances
)

select
    city_code,
    max(case when point = 'middle' then port_name_zh end) as nearest_port_zh,
    max(case when point = 'middle' then port_distance_km end) as port_distance_km,
    max(case when point = 'seat' then port_distance_km end) as seat_port_distance_km
from ranked
where place = 1
group by city_code
