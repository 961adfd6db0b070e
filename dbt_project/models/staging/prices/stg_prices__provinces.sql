select
    province_name,
    year,
    measure as price_measure,
    {{ within('index_pct', 50, 200) }} as province_price_index_pct,
    file_id,
    line
from {{ lake('prices__provinces') }}
