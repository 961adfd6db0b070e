select
    edition,
    year,
    row_code,
    column_code,
    value_usd_million,
    file_id,
    line
from {{ lake('input_output__national') }}
