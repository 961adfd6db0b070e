{#- A nominal CNY value at prices of 2000, by the city's GDP deflator; null where there is none. -#}
{% macro at_2000_prices(value, deflator) -%}
    {{ value }} / nullif({{ deflator }}, 0)
{%- endmacro %}

{#- Columns of city_year that hold CNY at current prices. -#}
{% macro nominal_columns() -%}
    {%- set names = ['gdp_cny', 'gdp_per_head_cny', 'fdi_cny'] -%}
    {%- for name in city_indicators() if name.endswith('_cny') and name not in names -%}
        {%- do names.append(name) -%}
    {%- endfor -%}
    {%- for name in district_indicators() if name.endswith('_cny') -%}
        {%- do names.append('district_' ~ name) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}
