select
    kind,
    from_revision,
    to_revision,
    from_hs6 as from_hs6_code,
    to_hs6 as to_hs6_code,
    relationship,
    file_id,
    line
from {{ lake('concordance__hs') }}
