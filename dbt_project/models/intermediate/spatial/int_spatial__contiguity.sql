/* Weights of contiguity: w(i, j) = 1 / (number of i's neighbours) where spine cities i and j share a border. A city
   without a neighbour in the spine has no row. Rows sum to one. DECISIONS 32. */
select
    city_code,
    neighbour_code,
    weight
from {{ ref('int_geography__neighbour') }}
