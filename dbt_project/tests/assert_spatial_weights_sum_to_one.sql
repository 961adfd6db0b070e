/* Every city's weights sum to one, in all three kinds of weights, none is negative, and nobody neighbours itself. */
with weights as (
    {% for name in ['contiguity', 'inverse_distance', 'k_nearest'] %}
    {{ 'union all' if not loop.first }}
    select
        '{{ name }}' as kind,
        city_code,
        neighbour_code,
        weight
    from {{ ref('int_spatial__' ~ name) }}
    {% endfor %}
)

select
    kind,
    city_code,
    sum(weight) as total
from weights
group by kind, city_code
having abs(sum(weight) - 1) > 1e-12 or min(weight) < 0 or max(case when city_code = neighbour_code then 1 else 0 end) > 0
