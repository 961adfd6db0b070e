{#- Gaps on a straight line: each row of a relation with `year` and `value`, beside the nearest known year and value before
    and after it among rows of the same keys. Ends are never extrapolated. -#}
{% macro with_known_neighbours(relation, keys) -%}
    select
        *,
        max(case when value is not null then year end) over before as year_before,
        max_by(value, case when value is not null then year end) over before as value_before,
        min(case when value is not null then year end) over after as year_after,
        min_by(value, case when value is not null then year end) over after as value_after
    from {{ relation }}
    window
        before as (partition by {{ keys | join(', ') }} order by year rows between unbounded preceding and current row),
        after as (partition by {{ keys | join(', ') }} order by year rows between current row and unbounded following)
{%- endmacro %}

{#- The value itself, or the one on the line between its known neighbours; null where one of them is missing. -#}
{% macro on_a_straight_line() -%}
    coalesce(value, value_before + (value_after - value_before) * (year - year_before) / nullif(year_after - year_before, 0))
{%- endmacro %}

{#- The same for columns beside each other: the columns of a relation by city and year with their gaps filled, and under
    `flag` the names of those that were filled in the row, parted by blanks. -#}
{% macro with_filled_gaps(relation, names, flag) -%}
    select
        city_code,
        {% for name in names %}
        coalesce(
            {{ name }},
            max_by({{ name }}, case when {{ name }} is not null then year end) over before
            + (
                min_by({{ name }}, case when {{ name }} is not null then year end) over after
                - max_by({{ name }}, case when {{ name }} is not null then year end) over before
            ) * (year - max(case when {{ name }} is not null then year end) over before)
            / nullif(
                min(case when {{ name }} is not null then year end) over after
                - max(case when {{ name }} is not null then year end) over before, 0
            )
        )::double as {{ name }},
        {% endfor %}
        trim(
            {% for name in names %}
            case
                when {{ name }} is null and count({{ name }}) over before > 0 and count({{ name }}) over after > 0 then '{{ name }} ' else ''
            end ||
            {% endfor %}
            ''
        ) as {{ flag }},
        year
    from {{ relation }}
    window
        before as (partition by city_code order by year rows between unbounded preceding and current row),
        after as (partition by city_code order by year rows between current row and unbounded following)
{%- endmacro %}
