select
    city_name,
    city_code_published,
    scope,
    indicator,
    year,
    value,
    is_interpolated,
    vintage,
    header,
    file_id,
    line
from {{ lake('yearbook__indicators') }}
