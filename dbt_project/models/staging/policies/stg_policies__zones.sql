select
    policy,
    batch,
    first_year,
    approved_on,
    document,
    name as zone_name,
    level,
    provenance,
    file_id,
    line
from {{ lake('policies__zones') }}
