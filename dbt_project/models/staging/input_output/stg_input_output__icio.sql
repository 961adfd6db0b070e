select
    edition,
    year,
    row_country,
    row_industry,
    column_country,
    column_code,
    value_usd_million,
    file_id,
    line
from {{ lake('input_output__icio') }}
