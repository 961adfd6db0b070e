{#- agglomeration_resilience's nine controls, in the order of its table 1. -#}
{% macro agglomeration_resilience_controls() -%}
    {{ return([
        'fiscal_expenditure_share', 'ln_gdp_per_head', 'fdi_share', 'ln_population_density', 'ln_retail_sales',
        'ln_students_per_10000', 'ln_road_area_per_head', 'ln_invention_applications_per_10000', 'fixed_investment_share'
    ]) }}
{%- endmacro %}

{#- agglomeration_resilience's eight determinants of the interaction, in the order of its table 10. -#}
{% macro agglomeration_resilience_determinants() -%}
    {{ return([
        'ln_pollution_damage', 'ln_fdi_share', 'ln_retail_sales_share', 'highway_km_per_10000', 'ln_gdp_density',
        'ln_capital_intensity', 'ln_science_expenditure', 'ln_labour_productivity'
    ]) }}
{%- endmacro %}

{#- Coupling of two subsystems in [0, 1]: C = 2 sqrt(u1 u2) / (u1 + u2), 1 where they are equal; null where both are 0. -#}
{% macro coupling_degree(u1, u2) -%}
    2 * sqrt({{ u1 }} * {{ u2 }}) / nullif({{ u1 }} + {{ u2 }}, 0)
{%- endmacro %}

{#- Coupling coordination: D = sqrt(C T), T = (u1 + u2) / 2. -#}
{% macro coupling_coordination(u1, u2) -%}
    sqrt({{ coupling_degree(u1, u2) }} * ({{ u1 }} + {{ u2 }}) / 2)
{%- endmacro %}

{#- Four tiers of cities, as agglomeration_resilience's table 10 has them: the ranking's first and new first tier are one. -#}
{% macro four_tiers(tier) -%}
    case when {{ tier }} = 'new_tier_1' then 'tier_1' else {{ tier }} end
{%- endmacro %}
