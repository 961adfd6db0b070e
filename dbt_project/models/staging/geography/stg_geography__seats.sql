select
    city_name,
    city_code as city_code_published,
    {{ within('longitude', 73, 136) }} as longitude,
    {{ within('latitude', 3, 54) }} as latitude,
    file_id,
    line
from {{ lake('geography__seats') }}
