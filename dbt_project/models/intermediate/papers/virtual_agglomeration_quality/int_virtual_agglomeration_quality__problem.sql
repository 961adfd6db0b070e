/* What is wrong with the variables of virtual_agglomeration_quality that come from tables, censuses, prices and
   reports. */
select *
from (
    {{ indicator_problems('idx_virtual_agglomeration', ref('int_virtual_agglomeration_quality__city_input'),
        varying=['virtual_coefficient'], positive=['virtual_input_usd_million']) }}
) as coefficients
union all
select *
from (
    {{ indicator_problems('int_virtual_agglomeration_quality__coefficient', ref('int_virtual_agglomeration_quality__coefficient'),
        varying=['telecom_coefficient', 'software_coefficient', 'internet_wholesale_coefficient', 'internet_retail_coefficient']) }}
) as tables
union all
select *
from (
    {{ indicator_problems('int_io__digital_input', ref('int_io__digital_input'), nonzero=['output_usd_million']) }}
) as outputs
union all
select *
from (
    {{ indicator_problems('idx_virtual_agglomeration', ref('int_virtual_agglomeration_quality__words'), varying=['words_n']) }}
) as reports
union all
select *
from (
    {{ indicator_problems('idx_co_agglomeration', ref('idx_co_agglomeration'), varying=['secondary_location_quotient']) }}
) as employment
union all
select *
from (
    {{ indicator_problems('idx_market_integration', ref('idx_market_integration'), positive=['market_segmentation_index']) }}
) as markets
union all
select *
from (
    {{ indicator_problems('panel_virtual_agglomeration_quality', ref('int_virtual_agglomeration_quality__controls'), varying=[
        'fdi_share', 'openness_share', 'other_fiscal_share', 'credit_share', 'science_gdp_share', 'students_share',
        'ln_real_average_wage', 'ln_real_gdp_per_head', 'fixed_investment_share', 'ln_road_area_per_head'
    ]) }}
) as controls
union all
select *
from (
    {{ indicator_problems('panel_virtual_agglomeration_quality', ref('int_city__indicators'),
        positive=['average_wage_cny', 'road_area_per_head_m2'], nonzero=['gdp_cny']) }}
) as logs
