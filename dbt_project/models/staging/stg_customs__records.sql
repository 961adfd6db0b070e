select
    year,
    month,
    flow,
    hs8 as hs8_code,
    value_cents,
    quantity,
    quantity_unit,
    firm_code,
    firm_name,
    postcode,
    production_place,
    partner_name,
    partner_code,
    trade_mode,
    file_id,
    line
from {{ lake('customs__records') }}
