{#- A sum of doubles over the rows that share a key, the same to the last bit whatever their order. -#}
{% macro exact_sum_over(expression, key) -%}
    (sum(({{ expression }})::decimal(38, 15)) over (partition by {{ key }}))::double
{%- endmacro %}
