{#- Quality indices weighted by exports (virtual_agglomeration_quality, equation 21), over all of a group's cells that
    have one, and over those of ordinary and processing trade and of intermediate and final goods; a cell of both modes
    counts in each by its value in it.
    Rounded to 12 digits, or the mean of ones would be 1.0000000000000002. -#}
{% macro quality_columns() -%}
{%- set weights = {
    'quality_index': 'q.value_cents',
    'ordinary_quality_index': 'q.ordinary_cents',
    'processing_quality_index': 'q.processing_cents',
    'intermediate_quality_index': "case when p.end_use = 'intermediate' then q.value_cents else 0 end",
    'final_quality_index': "case when p.end_use = 'final' then q.value_cents else 0 end"
} -%}
{%- for name, weight in weights.items() %}
    round({{ exact_sum('(' ~ weight ~ ') * q.quality_index') }} / nullif(sum({{ weight }})::double, 0), 12) as {{ name }},
{%- endfor %}
    (sum(q.value_cents)::decimal(20, 0) / 100)::decimal(20, 2) as quality_value_usd
{%- endmacro %}

{#- What int_virtual_agglomeration_quality__city_year says of a city in a year besides where it lies, all but the last:
    the same in both panels of virtual_agglomeration_quality. -#}
{% macro quality_city_columns() -%}
    {{ return([
        'virtual_agglomeration_index', 'lagged_virtual_agglomeration_index', 'virtual_agglomeration_input_index',
        'virtual_agglomeration_text_index', 'is_virtual_agglomeration_interpolated',
        'post_office_investment_instrument', 'telephone_investment_instrument', 'fdi_share', 'openness_share',
        'other_fiscal_share', 'credit_share', 'science_gdp_share', 'students_share', 'ln_real_average_wage',
        'ln_real_gdp_per_head', 'ln_real_gdp', 'fixed_investment_share', 'ln_road_area_per_head',
        'market_segmentation_index', 'market_integration_index', 'own_pairs_market_segmentation_index',
        'own_pairs_market_integration_index', 'ln_own_pairs_market_integration', 'neighbour_market_segmentation_index',
        'neighbour_market_integration_index', 'co_agglomeration_index',
        'co_agglomeration_change_index', 'city_quality_index', 'quality_total', 'quality_within', 'quality_between',
        'quality_entry', 'quality_exit', 'quality_gap', 'griliches_regev_within', 'griliches_regev_between',
        'griliches_regev_entry', 'griliches_regev_exit', 'griliches_regev_gap', 'hs4_n', 'export_specialisation_index',
        'common_n_export_specialisation_index', 'export_diversification_index', 'ln_common_n_export_specialisation',
        'ln_export_specialisation'
    ]) }}
{%- endmacro %}
