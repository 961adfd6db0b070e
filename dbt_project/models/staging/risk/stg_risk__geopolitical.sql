select
    iso3 as iso3_code,
    year,
    month,
    articles_pct as geopolitical_risk_pct,
    file_id,
    line
from {{ lake('risk__geopolitical') }}
