/* Weights of the k nearest: w(i, j) = 1 / k for the k spine cities whose centroids lie nearest to i's (great-circle
   distance; ties: the smaller code). k is var nearest_neighbours_n. Rows sum to one. DECISIONS 32. */
with pairs as (
    select
        c.city_code,
        n.city_code as neighbour_code,
        {{ great_circle_km('c.longitude', 'c.latitude', 'n.longitude', 'n.latitude') }} as distance_km
    from {{ ref('cities') }} as c
    inner join {{ ref('cities') }} as n on c.city_code <> n.city_code
),

ranked as (
    select
        city_code,
        neighbour_code,
        row_number() over (partition by city_code order by distance_km, neighbour_code) as place
    from pairs
    where distance_km is not null
)

select
    city_code,
    neighbour_code,
    1.0::double / count(*) over (partition by city_code) as weight
from ranked
where place <= {{ var('nearest_neighbours_n', 5) }}
