/* What could not be used in virtual_agglomeration_quality: of quality, its decomposition and the structure of exports;
   of firms matched with the enterprise survey; of tables, censuses, prices and reports; of the controls. */
{% set quality = {'index_name': 'export_quality', 'relation': ref('int_virtual_agglomeration_quality__firm_product')} %}
{% set composition = {'index_name': 'export_composition', 'relation': ref('idx_export_composition'), 'problem': 'all_missing'} %}
{% set panel = 'panel_virtual_agglomeration_quality' %}
{{ problem_lines([
    dict(quality, indicator='sigma', problem='all_missing', where="quality_problem = 'no_elasticity'"),
    dict(quality, indicator='sigma_less_one', problem='not_positive', where="quality_problem = 'elasticity_not_above_one'"),
    dict(quality, indicator='province_gdp_cny_2000', problem='all_missing', where="quality_problem = 'no_province_gdp'"),
    dict(quality, indicator='price_at_other_destinations', problem='all_missing', where="quality_problem = 'no_other_destination'"),
    dict(quality, indicator='ln_quality', problem='all_equal', where="quality_problem = 'one_value'"),
    {
        'index_name': 'export_quality_decomposition', 'relation': ref('int_virtual_agglomeration_quality__decomposition'),
        'indicator': 'continuing_n', 'problem': 'too_few', 'where': 'continuing_n = 0'
    },
    {
        'index_name': 'export_structure', 'relation': ref('idx_export_structure'), 'problem': 'zero_denominator',
        'indicator': 'export_diversification_index', 'where': 'export_diversification_index is null'
    },
    {
        'index_name': 'int_firms__customs_match', 'relation': ref('int_firms__customs_match'),
        'indicator': 'firm_code', 'problem': 'ambiguous', 'where': 'match_problem is not null'
    },
    dict(composition, indicator='trade_mode', where='ordinary_trade_share is null'),
    dict(composition, indicator='end_use', where='intermediate_goods_share is null'),
    {
        'index_name': 'idx_virtual_agglomeration', 'relation': ref('int_virtual_agglomeration_quality__city_input'),
        'varying': ['virtual_coefficient'], 'positive': ['virtual_input_usd_million']
    },
    {
        'index_name': 'int_virtual_agglomeration_quality__coefficient',
        'relation': ref('int_virtual_agglomeration_quality__coefficient'),
        'varying': [
            'telecom_coefficient', 'software_coefficient', 'internet_wholesale_coefficient', 'internet_retail_coefficient'
        ]
    },
    {'index_name': 'int_io__digital_input', 'relation': ref('int_io__digital_input'), 'nonzero': ['output_usd_million']},
    {
        'index_name': 'idx_virtual_agglomeration', 'relation': ref('int_reports__city_year'),
        'indicator': 'report_text', 'problem': 'shared_text', 'where': 'is_text_shared'
    },
    {
        'index_name': 'idx_virtual_agglomeration', 'relation': ref('int_virtual_agglomeration_quality__words'),
        'varying': ['words_n']
    },
    {
        'index_name': 'idx_co_agglomeration', 'relation': ref('idx_co_agglomeration'),
        'varying': ['secondary_location_quotient']
    },
    {
        'index_name': 'idx_market_integration', 'relation': ref('idx_market_integration'),
        'positive': ['market_segmentation_index']
    },
    {
        'index_name': panel, 'relation': ref('int_virtual_agglomeration_quality__controls'),
        'varying': [
            'fdi_share', 'openness_share', 'other_fiscal_share', 'credit_share', 'science_gdp_share', 'students_share',
            'ln_real_average_wage', 'ln_real_gdp_per_head', 'fixed_investment_share', 'ln_road_area_per_head'
        ]
    },
    {
        'index_name': panel, 'relation': ref('int_city__indicators'),
        'positive': ['average_wage_cny', 'road_area_per_head_m2'], 'nonzero': ['gdp_cny']
    }
]) }}
