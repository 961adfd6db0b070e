select
    year,
    cny_per_usd,
    file_id,
    line
from {{ lake('prices__exchange_rates') }}
