{#- A county-level division's name without its kind, so that 富阳市 and 富阳区 are known for the same place. -#}
{% macro division_stem(name) -%}
    case
        when length({{ name }}) > 2 then regexp_replace({{ name }}, '(自治县|自治旗|县|市|区|旗)$', '')
        else {{ name }}
    end
{%- endmacro %}

{#- A GB/T 2260 code's prefecture in the project's convention: 3301 for Hangzhou, 1100 for Beijing. -#}
{% macro prefecture_of(division_code) -%}
    case
        when left({{ division_code }}, 2) in ('11', '12', '31', '50') then left({{ division_code }}, 2) || '00'
        else left({{ division_code }}, 4)
    end
{%- endmacro %}
