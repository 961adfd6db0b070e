select
    port_name_zh,
    port_name_en,
    longitude,
    latitude,
    file_id,
    line
from {{ lake('geography__ports') }}
