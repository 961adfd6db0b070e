select
    city_code,
    neighbour_code,
    file_id,
    line
from {{ lake('geography__adjacency') }}
