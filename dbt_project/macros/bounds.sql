{#- A delivered value within its bounds, else null: one odd value costs its cell, not its source. The bounds are those of
    the delivery's check in expectations/deliveries, which counts and shows what lies beyond them. DECISIONS 50. -#}
{% macro within(column, low, high) -%}
    case when {{ column }} between {{ low }} and {{ high }} then {{ column }} end
{%- endmacro %}
