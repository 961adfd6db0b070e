select
    country_name,
    hs3 as hs3_code,
    {{ within('sigma', 0, 1000000) }} as sigma,
    file_id,
    line
from {{ lake('concordance__elasticities') }}
