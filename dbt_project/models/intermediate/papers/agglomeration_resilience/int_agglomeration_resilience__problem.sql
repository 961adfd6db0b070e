/* What is wrong with what agglomeration_resilience's indices are made of: counterfactuals of zero, values whose log is
   taken and that are not positive, denominators of zero, and variables that are missing everywhere or do not vary;
   too_rare: a control that no city has in half of the years. DECISIONS 60. */
{{ problem_lines([
    {
        'index_name': 'idx_employment_resilience', 'relation': ref('idx_employment_resilience'),
        'varying': ['employment_resilience_index'], 'nonzero': ['counterfactual_change_n']
    },
    {
        'index_name': 'idx_industry_agglomeration', 'relation': ref('idx_industry_agglomeration'),
        'varying': ['industry_specialisation_index', 'industry_diversity_index', 'gini_diversity_index']
    },
    {
        'index_name': 'idx_output_specialisation', 'relation': ref('idx_output_specialisation'),
        'varying': ['output_specialisation_index']
    },
    {
        'index_name': 'idx_pollution_damage', 'relation': ref('city_year'),
        'varying': ['industrial_so2_t', 'industrial_wastewater_t', 'industrial_dust_t']
    },
    {
        'index_name': 'panel_agglomeration_resilience', 'relation': ref('city_year'),
        'varying': ['fiscal_expenditure_cny', 'fixed_investment_cny', 'highway_km'],
        'positive': [
            'gdp_cny', 'gdp_per_head_cny', 'population_registered_n', 'retail_sales_cny', 'university_students_n',
            'road_area_per_head_m2', 'invention_patent_applications_n', 'industrial_fixed_assets_cny',
            'science_expenditure_cny', 'gdp_cny_2000', 'fdi_share'
        ],
        'nonzero': ['area_km2', 'secondary_employees_n', 'employees_n']
    }
]) }}
union all
{{ rare_lines(
    'panel_agglomeration_resilience', ref('int_agglomeration_resilience__variable'), agglomeration_resilience_controls(), 'city_code',
    '{high} * 2 < (select count(distinct i.year) from ' ~ ref('int_agglomeration_resilience__industry') ~ ' as i where i.year between 2009 and 2020)'
) }}
