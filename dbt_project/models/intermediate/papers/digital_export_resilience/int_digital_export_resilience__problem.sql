/* What is wrong with the variables of digital_export_resilience: an indicator that is missing everywhere or has one
   value has no weight; a number at or below zero has no log; a counterfactual equal to the exports of 2008 leaves
   resilience without a denominator. */
{{ problem_lines([
    {
        'index_name': 'idx_digital_economy', 'relation': ref('int_digital_export_resilience__indicator'),
        'varying': digital_economy_indicators()
    },
    {
        'index_name': 'idx_innovation_allocation', 'relation': ref('int_digital_export_resilience__innovation_resource'),
        'positive': [
            'science_expenditure_cny_2000', 'rd_expenditure_cny_2000', 'fixed_investment_lagged_cny_2000',
            'employees_science_n', 'technology_contracts_n', 'invention_patents_in_force_n'
        ]
    },
    {
        'index_name': 'innovation_allocation_efficiency', 'relation': ref('idx_innovation_allocation'),
        'varying': ['innovation_allocation_sfa_index', 'innovation_allocation_dea_index']
    },
    {
        'index_name': 'idx_export_resilience', 'relation': ref('int_digital_export_resilience__export_growth'),
        'nonzero': ['counterfactual_distance_usd', 'weighted_counterfactual_distance_usd']
    },
    {
        'index_name': 'idx_market_diversity', 'relation': ref('idx_market_diversity'),
        'varying': ['belt_and_road_share', 'risk_exposure_pct']
    },
    {
        'index_name': 'idx_export_sophistication', 'relation': ref('idx_export_sophistication'),
        'varying': ['export_sophistication_usd']
    },
    {
        'index_name': 'panel_digital_export_resilience', 'relation': ref('int_digital_export_resilience__control'),
        'varying': [
            'gdp_per_head_cny', 'fdi_share', 'fiscal_self_sufficiency_share', 'ln_population_density', 'finance_ratio',
            'marketisation_index', 'science_gdp_share', 'pollution_investment_share', 'structure_ratio'
        ]
    }
]) }}
