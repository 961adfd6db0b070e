{#- The 17 indicators of ecommerce_resilience's table 1 (their signs: seeds/judgments/resilience_indicators.csv). -#}
{% macro ecommerce_resilience_indicators() -%}
    {{ return([
        'gdp_per_head_cny', 'urban_disposable_income_cny', 'household_savings_cny', 'unemployment_share', 'openness_share',
        'fiscal_self_sufficiency_share', 'retail_sales_cny', 'tertiary_share', 'loan_deposit_share', 'fixed_investment_cny',
        'hospital_beds_n', 'industrial_dust_t', 'patents_granted_n', 'science_expenditure_cny', 'education_expenditure_cny',
        'structure_ratio', 'urbanisation_share'
    ]) }}
{%- endmacro %}

{#- ecommerce_resilience's controls (section 3.2.4), openness_share apart, which table 1 counts among the indicators
    too. -#}
{% macro ecommerce_resilience_controls() -%}
    {{ return(['agglomeration', 'fdi_share', 'science_share', 'fdi_cny']) }}
{%- endmacro %}

{#- The five indicators of ecommerce_resilience's digital index (table 2). -#}
{% macro digital_level_indicators() -%}
    {{ return([
        'digital_finance_index', 'mobile_users_per_100', 'internet_users_per_100', 'telecom_revenue_per_head_cny', 'it_employment_share'
    ]) }}
{%- endmacro %}
