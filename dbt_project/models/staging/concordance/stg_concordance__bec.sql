select
    revision,
    hs6 as hs6_code,
    bec_code,
    file_id,
    line
from {{ lake('concordance__bec') }}
