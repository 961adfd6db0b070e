select
    iso3 as iso3_code,
    indicator_code,
    year,
    {{ within('gdp_per_head_usd', 10, 1000000) }} as gdp_per_head_usd,
    file_id,
    line
from {{ lake('world_trade__income') }}
