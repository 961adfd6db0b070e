select
    city_name,
    year,
    text as report_text,
    characters_n,
    file_id,
    line
from {{ lake('reports__texts') }}
