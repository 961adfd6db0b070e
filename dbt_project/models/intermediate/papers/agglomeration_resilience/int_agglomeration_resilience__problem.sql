/* What is wrong with what agglomeration_resilience's indices are made of: counterfactuals of zero, values whose log is
   taken and that are not positive, denominators of zero, and variables that are missing everywhere or do not vary. */
select
    index_name,
    indicator,
    problem,
    rows_n
from (
    {{ indicator_problems(
        'idx_employment_resilience', ref('idx_employment_resilience'),
        varying=['employment_resilience_index'], nonzero=['counterfactual_change_n']
    ) }}
) as resilience
union all
select
    index_name,
    indicator,
    problem,
    rows_n
from (
    {{ indicator_problems(
        'idx_industry_agglomeration', ref('idx_industry_agglomeration'),
        varying=['industry_specialisation_index', 'industry_diversity_index', 'gini_diversity_index']
    ) }}
) as agglomeration
union all
select
    index_name,
    indicator,
    problem,
    rows_n
from (
    {{ indicator_problems(
        'idx_output_specialisation', ref('idx_output_specialisation'), varying=['output_specialisation_index']
    ) }}
) as output
union all
select
    index_name,
    indicator,
    problem,
    rows_n
from (
    {{ indicator_problems(
        'idx_pollution_damage', ref('city_year'),
        varying=['industrial_so2_t', 'industrial_wastewater_t', 'industrial_dust_t']
    ) }}
) as pollution
union all
select
    index_name,
    indicator,
    problem,
    rows_n
from (
    {{ indicator_problems(
        'panel_agglomeration_resilience', ref('city_year'),
        varying=['fiscal_expenditure_cny', 'fixed_investment_cny', 'highway_km'],
        positive=[
            'gdp_cny', 'gdp_per_head_cny', 'population_registered_n', 'retail_sales_cny', 'university_students_n', 'road_area_per_head_m2',
            'invention_patent_applications_n', 'industrial_fixed_assets_cny', 'science_expenditure_cny', 'gdp_cny_2000', 'fdi_share'
        ],
        nonzero=['area_km2', 'secondary_employees_n', 'employees_n']
    ) }}
) as panel
