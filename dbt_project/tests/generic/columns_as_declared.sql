{#- The columns of a relation and their types are those that its yml declares, in that order. dbt enforces a contract on SQL models
    only, so this stands in for it under a Python model; rows are the columns that differ. -#}
{% test columns_as_declared(model) %}
{% set declared, found = [], [] %}
{% if execute %}
    {% for column in node_of(model).columns.values() %}
        {% do declared.append(column.name ~ ' ' ~ column.data_type | lower) %}
    {% endfor %}
    {% for column in adapter.get_columns_in_relation(model) %}
        {% do found.append(column.name ~ ' ' ~ ('string' if column.is_string() else column.data_type | lower)) %}
    {% endfor %}
{% endif %}
{% set differing = [] %}
{% for at in range([declared | length, found | length] | max) %}
    {% set wanted = declared[at] if at < declared | length else 'nothing' %}
    {% set there = found[at] if at < found | length else 'nothing' %}
    {% if wanted != there %}
        {% do differing.append([wanted, there]) %}
    {% endif %}
{% endfor %}
{% for pair in differing %}
{{ 'union all' if not loop.first }}
select
    '{{ pair[0] }}' as declared,
    '{{ pair[1] }}' as found
{% else %}
select
    null::string as declared,
    null::string as found
where false
{% endfor %}
{% endtest %}
