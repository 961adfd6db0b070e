select
    year,
    division_code,
    industry_code as gbt2002_code,
    {{ within('output_cny', 0, 1e13) }} as output_cny,
    enterprises_n,
    file_id,
    line
from {{ lake('census__output') }}
