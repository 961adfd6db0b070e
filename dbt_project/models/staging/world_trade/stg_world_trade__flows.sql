select
    exporter_code,
    hs6 as hs6_code,
    year,
    value_usd,
    partners_n,
    file_id,
    line
from {{ lake('world_trade__flows') }}
