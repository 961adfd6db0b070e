{#- A nominal CNY value at prices of 2000, by the city's GDP deflator; null where there is none. -#}
{% macro at_2000_prices(value, deflator) -%}
    {{ value }} / nullif({{ deflator }}, 0)
{%- endmacro %}
