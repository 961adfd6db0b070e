select
    iso3 as iso3_code,
    indicator_code,
    year,
    gdp_per_head_usd,
    file_id,
    line
from {{ lake('world_trade__income') }}
