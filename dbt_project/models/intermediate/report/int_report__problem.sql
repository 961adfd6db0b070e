/* Every indicator that could not be used as its index means to, with the reason: the union of the themes' lines.
   A refresh prints them and stores them in meta.problems. DECISIONS 39. */
{% set themes = [
    ref('int_resilience__problem'), ref('int_city_exports__problem'), ref('int_firms__problem'), ref('int_agglomeration__problem'),
    ref('int_digital__problem'), ref('int_quality__problem'), ref('int_virtual__problem')
] %}
{% for theme in themes %}
{{ 'union all' if not loop.first }}
select
    index_name,
    indicator,
    problem,
    rows_n
from {{ theme }}
{% endfor %}
