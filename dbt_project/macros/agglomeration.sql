{#- A mean of doubles that is the same to the last bit whatever the order of rows; null without a value. -#}
{% macro exact_mean(expression) -%}
    {{ exact_sum(expression) }} / nullif(count({{ expression }}), 0)
{%- endmacro %}

{#- The same over the rows of a window. -#}
{% macro exact_mean_over(expression, window) -%}
    (sum(({{ expression }})::decimal(38, 15)) over ({{ window }}))::double / nullif(count({{ expression }}) over ({{ window }}), 0)
{%- endmacro %}

{#- The log of a value, null where it has none. -#}
{% macro safe_ln(expression) -%}
    ln(case when {{ expression }} > 0 then {{ expression }} end)
{%- endmacro %}

{#- Values beyond two limits take the limits; missing values stay missing (least and greatest pass over nulls). -#}
{% macro clipped(expression, low, high) -%}
    case when {{ expression }} < {{ low }} then {{ low }} when {{ expression }} > {{ high }} then {{ high }} else {{ expression }} end
{%- endmacro %}

{#- A value scaled to 0-1 between two limits; null where they are equal. -#}
{% macro min_max(expression, low, high) -%}
    ({{ expression }} - {{ low }}) / nullif({{ high }} - {{ low }}, 0)
{%- endmacro %}

{#- Coupling of two subsystems in [0, 1]: C = 2 sqrt(u1 u2) / (u1 + u2), 1 where they are equal; null where both are 0. -#}
{% macro coupling_degree(u1, u2) -%}
    2 * sqrt({{ u1 }} * {{ u2 }}) / nullif({{ u1 }} + {{ u2 }}, 0)
{%- endmacro %}

{#- Coupling coordination: D = sqrt(C T), T = (u1 + u2) / 2. -#}
{% macro coupling_coordination(u1, u2) -%}
    sqrt({{ coupling_degree(u1, u2) }} * ({{ u1 }} + {{ u2 }}) / 2)
{%- endmacro %}

{#- Paper B's nine controls, in the order of its table 1. -#}
{% macro agglomeration_controls() -%}
    {{ return([
        'fiscal_expenditure_share', 'ln_gdp_per_head', 'fdi_share', 'ln_population_density', 'ln_retail_sales',
        'ln_students_per_10000', 'ln_road_area_per_head', 'ln_invention_applications_per_10000', 'fixed_investment_share'
    ]) }}
{%- endmacro %}

{#- Paper B's eight determinants of the interaction, in the order of its table 10. -#}
{% macro agglomeration_determinants() -%}
    {{ return([
        'ln_pollution_damage', 'ln_fdi_share', 'ln_retail_sales_share', 'highway_km_per_10000', 'ln_gdp_density',
        'ln_capital_intensity', 'ln_science_expenditure', 'ln_labour_productivity'
    ]) }}
{%- endmacro %}
