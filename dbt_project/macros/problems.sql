{#- What is wrong with the indicators of an index: one row a problem, with the columns of every int_<theme>__problem.

    varying   weighted or standardised: says nothing where all its values are equal (all_equal) or only one is known (too_few)
    positive  its log is taken: a value at or below zero has none (not_positive, counted)
    nonzero   divided by: zero has no quotient (zero_denominator, counted)
    An indicator of any list without a single value is all_missing, and has no other line.
    relation  one row an observation and one column an indicator; where indicators stand below each other instead, their
              names are in name_column and their values in value_column. -#}
{% macro indicator_problems(index_name, relation, varying=[], positive=[], nonzero=[], name_column=none, value_column=none) -%}
{%- set names = [] -%}
{%- for name in varying + positive + nonzero if name not in names -%}
    {%- do names.append(name) -%}
{%- endfor -%}
with measured as (
    {% for name in names %}
    {{ 'union all' if not loop.first }}
    select
        '{{ name }}' as indicator,
        {{ 'true' if name in varying else 'false' }} as is_varying,
        {{ 'true' if name in positive else 'false' }} as is_positive,
        {{ 'true' if name in nonzero else 'false' }} as is_nonzero,
        count(*) as all_n,
        count(value) as known_n,
        min(value) as low,
        max(value) as high,
        count(case when value <= 0 then 1 end) as not_positive_n,
        count(case when value = 0 then 1 end) as zero_n
    {% if name_column %}
    from (select {{ value_column }}::double as value from {{ relation }} where {{ name_column }} = '{{ name }}') as observations
    {% else %}
    from (select {{ name }}::double as value from {{ relation }}) as observations
    {% endif %}
    {% endfor %}
),

found as (
    select
        indicator,
        'all_missing' as problem,
        all_n as rows_n
    from measured
    where known_n = 0
    union all
    select
        indicator,
        case when known_n = 1 then 'too_few' else 'all_equal' end as problem,
        known_n as rows_n
    from measured
    where is_varying and known_n > 0 and low = high
    union all
    select
        indicator,
        'not_positive' as problem,
        not_positive_n as rows_n
    from measured
    where is_positive and not_positive_n > 0
    union all
    select
        indicator,
        'zero_denominator' as problem,
        zero_n as rows_n
    from measured
    where is_nonzero and zero_n > 0
)

select
    '{{ index_name }}' as index_name,
    indicator,
    problem,
    rows_n::bigint as rows_n
from found
{%- endmacro %}

{#- The lines of several indices, one below the other. checks: a list of the arguments of indicator_problems, or of
    problem_where for one indicator, each with the relation that it looks at. -#}
{% macro problem_lines(checks) -%}
{%- for check in checks %}
{{ 'union all' if not loop.first }}
select * from ({{ problem_where(**check) if check.where else indicator_problems(**check) }}) as lines_{{ loop.index }}
{%- endfor %}
{%- endmacro %}

{#- One indicator's line, where a condition says which rows of the relation have the problem; no line without such a row. -#}
{% macro problem_where(index_name, relation, indicator, problem, where) -%}
select
    '{{ index_name }}' as index_name,
    '{{ indicator }}' as indicator,
    '{{ problem }}' as problem,
    count(*)::bigint as rows_n
from {{ relation }}
where {{ where }}
having count(*) > 0
{%- endmacro %}

{#- One line for each indicator that is known, but by `key` (year or city_code) never often enough to decide who is in a
    sample: too_rare. A row a value of `key` counts the known values (known_n) and the rows (rows_n); `rare` is said of
    their lowest and highest count: {low} and {high}. Names stand in columns, or below each other in name_column. -#}
{% macro rare_lines(index_name, relation, names, key, rare, name_column=none, value_column=none) -%}
{%- for name in names %}
{{ 'union all' if not loop.first }}
select
    '{{ index_name }}' as index_name,
    '{{ name }}' as indicator,
    'too_rare' as problem,
    sum(rows_n - known_n)::bigint as rows_n
from (
    select
        {{ key }},
        count(*) as rows_n,
        count({{ value_column or name }}) as known_n
    from {{ relation }}
    {% if name_column %}
    where {{ name_column }} = '{{ name }}'
    {% endif %}
    group by {{ key }}
) as counts_{{ loop.index }}
having max(known_n) > 0 and {{ rare.format(low='min(known_n)', high='max(known_n)') }}
{%- endfor %}
{%- endmacro %}
