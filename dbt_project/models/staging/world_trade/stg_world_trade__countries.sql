select
    exporter_code,
    country_name as exporter_name,
    case when iso3 = 'S19' then 'TWN' else iso3 end as iso3_code,  -- BACI's own letters for Asia not elsewhere specified
    file_id,
    line
from {{ lake('world_trade__countries') }}
