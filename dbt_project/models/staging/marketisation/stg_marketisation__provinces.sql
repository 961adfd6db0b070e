select
    province_name,
    year,
    marketisation_index,
    file_id,
    line
from {{ lake('marketisation__provinces') }}
