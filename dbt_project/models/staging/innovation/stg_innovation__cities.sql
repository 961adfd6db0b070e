select
    city_name,
    year,
    innovation_index,
    file_id,
    line
from {{ lake('innovation__cities') }}
