{#- Quality indices weighted by exports (paper E, equation 21), over all of a group's cells that have one, and over those of
    ordinary and processing trade and of intermediate and final goods; a cell of both modes counts in each by its value in it.
    Rounded to 12 digits, or the mean of ones would be 1.0000000000000002. -#}
{% macro quality_columns() -%}
{%- set weights = {
    'quality_index': 'q.value_cents',
    'ordinary_quality_index': 'q.ordinary_cents',
    'processing_quality_index': 'q.processing_cents',
    'intermediate_quality_index': "case when p.end_use = 'intermediate' then q.value_cents else 0 end",
    'final_quality_index': "case when p.end_use = 'final' then q.value_cents else 0 end"
} -%}
{%- for name, weight in weights.items() %}
    round({{ exact_sum('(' ~ weight ~ ') * q.quality_index') }} / nullif(sum({{ weight }})::double, 0), 12) as {{ name }},
{%- endfor %}
    (sum(q.value_cents)::decimal(20, 0) / 100)::decimal(20, 2) as quality_value_usd
{%- endmacro %}
