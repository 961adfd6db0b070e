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
        'broadband_users_n', 'mobile_users_n', 'internet_users_n', 'road_area_per_head_m2', 'co2_t',
        'secondary_employees_n', 'average_wage_cny', 'industrial_fixed_assets_cny', 'highway_km', 'internet_ports_n',
        'invention_patent_applications_n', 'invention_patents_in_force_n', 'internet_patents_granted_n',
        'rd_expenditure_cny', 'technology_contracts_n', 'pollution_investment_cny',
        'industrial_so2_t', 'industrial_wastewater_t'
    ] + industry_indicators() | reject('equalto', 'it_employees_n') | list) }}
{%- endmacro %}

{#- Employees of the 19 industries of the yearbook, sections A to S of GB/T 4754. -#}
{% macro industry_indicators() -%}
    {{ return([
        'employees_agriculture_n', 'employees_mining_n', 'employees_manufacturing_n', 'employees_utilities_n',
        'employees_construction_n', 'employees_transport_n', 'it_employees_n', 'employees_wholesale_retail_n',
        'employees_hotels_catering_n', 'employees_finance_n', 'employees_real_estate_n', 'employees_business_services_n',
        'employees_science_n', 'employees_water_environment_n', 'employees_resident_services_n', 'employees_education_n',
        'employees_health_n', 'employees_culture_n', 'employees_public_administration_n'
    ]) }}
{%- endmacro %}

{#- Those that the papers take for the districts alone. -#}
{% macro district_indicators() -%}
    {{ return([
        'population_nonagricultural_n', 'population_registered_n', 'science_expenditure_cny', 'area_km2',
        'population_resident_n', 'gdp_cny', 'employees_n', 'registered_unemployed_n', 'university_students_n', 'fdi_usd'
    ]) }}
{%- endmacro %}

{#- Levels add up when one city joins another; shares, indices, prices and values per head do not. -#}
{% macro adds_up(indicator) -%}
    not (
        {{ indicator }} like '%_share' or {{ indicator }} like '%_pct' or {{ indicator }} like '%_per_head_%'
        or {{ indicator }} in ('gdp_deflator_2000', 'urban_disposable_income_cny', 'average_wage_cny')
    )
{%- endmacro %}
