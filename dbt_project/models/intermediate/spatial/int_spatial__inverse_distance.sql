/* Weights of inverse distance: w(i, j) = (1 / d_ij) / sum_k (1 / d_ik), d = great-circle distance between the centroids
   of two spine cities in km. Every other city is a neighbour; rows sum to one. DECISIONS 32. */
with pairs as (
    select
        c.city_code,
        n.city_code as neighbour_code,
        {{ great_circle_km('c.longitude', 'c.latitude', 'n.longitude', 'n.latitude') }} as distance_km
    from {{ ref('cities') }} as c
    inner join {{ ref('cities') }} as n on c.city_code <> n.city_code
),

closeness as (
    select
        city_code,
        neighbour_code,
        1000 / nullif(distance_km, 0) as nearness
    from pairs
)

select
    city_code,
    neighbour_code,
    round(nearness / (sum(nearness::decimal(38, 15)) over (partition by city_code))::double, 15) as weight
from closeness
where nearness is not null
