select
    vintage,
    division_code,
    name_zh,
    file_id,
    line
from {{ lake('divisions__names') }}
