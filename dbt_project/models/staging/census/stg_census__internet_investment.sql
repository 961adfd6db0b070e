select
    year,
    {{ within('internet_investment_cny', 0, 1e14) }} as internet_investment_cny,
    file_id,
    line
from {{ lake('census__internet_investment') }}
