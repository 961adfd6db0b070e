select
    year,
    trade,
    trade_revenue_cny,
    internet_revenue_cny,
    file_id,
    line
from {{ lake('census__trade_split') }}
