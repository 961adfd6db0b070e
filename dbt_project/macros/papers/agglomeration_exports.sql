{#- agglomeration_exports's size of a city by the non-agricultural population of its districts: the classes of the
    State Council's notice of 2014 (国发〔2014〕51号), its largest three as one. DECISIONS 28. -#}
{% macro city_size(population) -%}
    case
        when {{ population }} >= 1000000 then 'large'
        when {{ population }} >= 500000 then 'medium'
        when {{ population }} >= 0 then 'small'
    end
{%- endmacro %}

{#- agglomeration_exports's variables whose logs the panel holds: outcomes, core, alternatives, controls. -#}
{% macro agglomeration_exports_outcomes() -%}
    {{ return(['ln_export_value', 'ln_hs6', 'ln_destination']) }}
{%- endmacro %}

{% macro agglomeration_exports_resilience() -%}
    {{ return(['ln_growth_resilience', 'ln_unemployment', 'ln_moving_resilience']) }}
{%- endmacro %}

{% macro agglomeration_exports_controls() -%}
    {{ return([
        'ln_1p_students', 'ln_1p_science_expenditure', 'ln_1p_port_distance', 'ln_1p_fdi', 'ln_1p_road_area', 'development_zone_did'
    ]) }}
{%- endmacro %}

{% macro agglomeration_exports_variables() -%}
    {{ return(
        agglomeration_exports_outcomes() + ['ln_agglomeration'] + agglomeration_exports_resilience() + ['ln_productivity'] + agglomeration_exports_controls()
        + ['ln_1p_district_area']
    ) }}
{%- endmacro %}

{#- Interaction -> its two parts; each part is centred before they are multiplied. -#}
{% macro agglomeration_exports_interactions() -%}
    {{ return({
        'agglomeration_growth_resilience': ['ln_agglomeration', 'ln_growth_resilience'],
        'agglomeration_unemployment': ['ln_agglomeration', 'ln_unemployment'],
        'agglomeration_moving_resilience': ['ln_agglomeration', 'ln_moving_resilience'],
        'agglomeration_productivity': ['ln_agglomeration', 'ln_productivity']
    }) }}
{%- endmacro %}

{#- The same quantities of the whole city where the default takes those of the districts first. DECISIONS 54. -#}
{% macro agglomeration_exports_whole_city() -%}
    {{ return([
        'ln_whole_city_growth_resilience', 'ln_whole_city_moving_resilience', 'ln_whole_city_unemployment', 'ln_1p_whole_city_students',
        'ln_1p_whole_city_fdi', 'ln_1p_whole_city_port_distance'
    ]) }}
{%- endmacro %}
