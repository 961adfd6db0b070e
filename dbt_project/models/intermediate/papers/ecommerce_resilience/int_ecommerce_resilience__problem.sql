/* What is wrong with the variables of ecommerce_resilience, 2012-2021, gaps filled: an indicator that is missing
   everywhere or has one value has no weight in its index; FDI or innovation at or below zero has no log, and a divisor
   of zero no quotient. too_rare: no city has it in all ten years. DECISIONS 39, 60. */
{% set variable = ref('int_ecommerce_resilience__variable') %}
{{ problem_lines([
    {
        'index_name': 'idx_economic_resilience', 'relation': variable, 'varying': ecommerce_resilience_indicators(),
        'name_column': 'variable', 'value_column': 'value'
    },
    {
        'index_name': 'idx_digital_level', 'relation': variable, 'varying': digital_level_indicators(),
        'name_column': 'variable', 'value_column': 'value'
    },
    {
        'index_name': 'panel_ecommerce_resilience', 'relation': variable,
        'varying': ['agglomeration', 'fdi_share', 'science_share', 'tertiary_employment_share'],
        'positive': ['fdi_cny', 'innovation_index'], 'name_column': 'variable', 'value_column': 'value'
    },
    {
        'index_name': 'city_year', 'relation': ref('city_year'),
        'nonzero': [
            'gdp_cny', 'gdp_secondary_cny', 'area_km2', 'population_registered_n', 'employees_n',
            'fiscal_expenditure_cny', 'deposits_cny', 'gdp_deflator_2000'
        ]
    }
]) }}
union all
{{ rare_lines(
    'idx_economic_resilience', variable, ecommerce_resilience_indicators(), 'city_code', '{high} < 10', 'variable', 'value'
) }}
union all
{{ rare_lines(
    'panel_ecommerce_resilience', variable, ['openness_share'] + ecommerce_resilience_controls(), 'city_code', '{high} < 10', 'variable', 'value'
) }}
