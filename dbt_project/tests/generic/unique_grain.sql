{#- Fails with the keys that occur more than once, or that are null, and how often; the keys are the grain that the model's meta names. -#}
{% test unique_grain(model) %}
{% set grain = node_of(model).config.meta.grain if execute else ['null'] %}
select
    {{ grain | join(', ') }},
    count(*) as rows_n
from {{ model }}
group by {{ grain | join(', ') }}
having count(*) > 1 {% for column in grain %} or {{ column }} is null {% endfor %}
{% endtest %}
