select
    gbt2002_code,
    isic4_code,
    name_zh as industry_name_zh,
    file_id,
    line
from {{ lake('concordance__industries') }}
