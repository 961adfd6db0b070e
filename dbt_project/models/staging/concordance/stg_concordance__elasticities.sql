select
    country_name,
    hs3 as hs3_code,
    sigma,
    file_id,
    line
from {{ lake('concordance__elasticities') }}
