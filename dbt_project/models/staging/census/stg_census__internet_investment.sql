select
    year,
    internet_investment_cny,
    file_id,
    line
from {{ lake('census__internet_investment') }}
