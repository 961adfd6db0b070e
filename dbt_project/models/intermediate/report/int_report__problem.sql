/* Every indicator that could not be used as its index means to, with the reason: the union of the themes' lines.
   A refresh prints them and stores them in meta.problems. DECISIONS 39. */
{% set themes = [
    ref('int_ecommerce_resilience__problem'), ref('int_agglomeration_exports__problem'), ref('int_firms__problem'),
    ref('int_agglomeration_resilience__problem'), ref('int_digital_export_resilience__problem'),
    ref('int_virtual_agglomeration_quality__problem')
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
