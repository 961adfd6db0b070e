/* Each ordered pair of spine cities that share a border (300 m buffer), with the row-normalised weight. */
with pairs as (
    select distinct
        a.city_code,
        a.neighbour_code
    from {{ ref('stg_geography__adjacency') }} as a
    inner join {{ ref('cities') }} as c on a.city_code = c.city_code
    inner join {{ ref('cities') }} as n on a.neighbour_code = n.city_code
)

select
    city_code,
    neighbour_code,
    1.0::double / count(*) over (partition by city_code) as weight
from pairs
