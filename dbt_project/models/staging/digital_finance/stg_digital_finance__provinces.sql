select
    year,
    province_name,
    province_code,
    {{ within('index_aggregate', 0, 1000) }} as digital_finance_index,
    coverage_breadth as coverage_breadth_index,
    usage_depth as usage_depth_index,
    payment as payment_index,
    insurance as insurance_index,
    monetary_fund as monetary_fund_index,
    investment as investment_index,
    credit as credit_index,
    credit_investigation as credit_investigation_index,
    digitization_level as digitisation_level_index,
    file_id,
    line
from {{ lake('digital_finance__provinces') }}
