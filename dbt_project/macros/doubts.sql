{#- Why a value is left out, in a sentence, by its problem in int_city__doubtful_values; without one it is interpolated. -#}
{% macro doubt_reason(problem) -%}
    case {{ problem }}
        when 'other_year' then 'the GDP of its row is that of another year in an edition ranked before'
        when 'off_its_sum' then 'parts and total differ, and agree once this value is moved by powers of ten'
        when 'power_of_ten' then 'off by a power of ten from the years before and after'
        when 'printed_alike' then 'a jump by a power of ten that three editions print alike'
        else 'interpolated or imputed by the compiler'
    end
{%- endmacro %}

{#- Factors by which a misplaced decimal point or unit moves a value. -#}
{% macro powers_of_ten() -%}
    {% for exponent in [-4, -3, -2, -1, 1, 2, 3, 4] %}
    {{ 'union all' if not loop.first }}
    select 1e{{ exponent }} as factor
    {% endfor %}
{%- endmacro %}
