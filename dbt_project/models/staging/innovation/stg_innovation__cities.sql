select
    city_name,
    year,
    {{ within('innovation_index', 0, 100000) }} as innovation_index,
    file_id,
    line
from {{ lake('innovation__cities') }}
