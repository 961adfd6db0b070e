select
    year,
    {{ within('cny_per_usd', 1, 20) }} as cny_per_usd,
    file_id,
    line
from {{ lake('prices__exchange_rates') }}
