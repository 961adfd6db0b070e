select
    province_name,
    indicator,
    year,
    value,
    vintage,
    header,
    file_id,
    line
from {{ lake('yearbook__provinces') }}
