{#- Indicators that one published city-year carries, in the order of the panel. -#}
{% macro city_indicators() -%}
    {{ return([
        'gdp_cny', 'gdp_primary_cny', 'gdp_secondary_cny', 'gdp_tertiary_cny', 'gdp_index_pct', 'gdp_deflator_2000',
        'population_registered_n', 'population_resident_n', 'population_nonagricultural_n', 'area_km2',
        'fdi_usd', 'imports_cny', 'exports_cny', 'deposits_cny', 'loans_cny', 'household_savings_cny',
        'urban_disposable_income_cny', 'registered_unemployed_n', 'employees_n', 'tertiary_employees_n', 'it_employees_n',
        'retail_sales_cny', 'fixed_investment_cny', 'fiscal_revenue_cny', 'fiscal_expenditure_cny',
        'science_expenditure_cny', 'education_expenditure_cny', 'hospital_beds_n', 'industrial_dust_t',
        'patents_granted_n', 'urbanisation_share', 'university_students_n', 'telecom_revenue_cny',
        'broadband_users_n', 'mobile_users_n', 'internet_users_n', 'road_area_per_head_m2', 'co2_t'
    ]) }}
{%- endmacro %}

{#- Those that paper A takes for the districts alone. -#}
{% macro district_indicators() -%}
    {{ return(['population_nonagricultural_n', 'population_registered_n', 'science_expenditure_cny', 'area_km2']) }}
{%- endmacro %}

{#- Levels add up when one city joins another; shares, indices, prices and values per head do not. -#}
{% macro adds_up(indicator) -%}
    not (
        {{ indicator }} like '%_share' or {{ indicator }} like '%_pct' or {{ indicator }} like '%_per_head_%'
        or {{ indicator }} in ('gdp_deflator_2000', 'urban_disposable_income_cny')
    )
{%- endmacro %}
