{#- A sum of doubles that is the same to the last bit whatever the order of rows and the number of threads. -#}
{% macro exact_sum(expression) -%}
    sum(({{ expression }})::decimal(38, 15))::double
{%- endmacro %}

{#- A sum of doubles over the rows that share a key, the same to the last bit whatever their order. -#}
{% macro exact_sum_over(expression, key) -%}
    (sum(({{ expression }})::decimal(38, 15)) over (partition by {{ key }}))::double
{%- endmacro %}

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

{#- A percentile as Stata's _pctile, summarize and winsor2 have it: with n values in order and k = n percent / 100, the
    mean of values k and k + 1 where k is whole, else the next value. percentile_cont lies between two values instead. -#}
{% macro stata_percentile(expression, percent) -%}
    {%- set place = 'count(' ~ expression ~ ') * ' ~ percent -%}
    (
        {{ nth_smallest(expression, 'floor((' ~ place ~ ' + 99) / 100)::int') }}
        + {{ nth_smallest(expression, 'floor(' ~ place ~ ' / 100)::int + 1') }}
    ) / 2
{%- endmacro %}

{#- Values beyond two limits take the limits; missing values stay missing (least and greatest pass over nulls). -#}
{% macro clipped(expression, low, high) -%}
    case when {{ expression }} < {{ low }} then {{ low }} when {{ expression }} > {{ high }} then {{ high }} else {{ expression }} end
{%- endmacro %}

{#- A value scaled to 0-1 between two limits; null where they are equal. -#}
{% macro min_max(expression, low, high) -%}
    ({{ expression }} - {{ low }}) / nullif({{ high }} - {{ low }}, 0)
{%- endmacro %}

{#- Levels add up when one city joins another; shares, indices, prices and values per head do not. -#}
{% macro adds_up(indicator) -%}
    not (
        {{ indicator }} like '%_share' or {{ indicator }} like '%_pct' or {{ indicator }} like '%_per_head_%'
        or {{ indicator }} in ('gdp_deflator_2000', 'urban_disposable_income_cny', 'average_wage_cny')
    )
{%- endmacro %}
