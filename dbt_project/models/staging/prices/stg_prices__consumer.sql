select
    city_name,
    year,
    category,
    index_pct as category_price_index_pct,
    file_id,
    line
from {{ lake('prices__consumer') }}
