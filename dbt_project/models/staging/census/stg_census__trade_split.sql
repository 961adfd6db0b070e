select
    year,
    trade,
    {{ within('trade_revenue_cny', 1, 1e16) }} as trade_revenue_cny,
    {{ within('internet_revenue_cny', 0, 1e16) }} as internet_revenue_cny,
    file_id,
    line
from {{ lake('census__trade_split') }}
