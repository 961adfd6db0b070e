{#- Entropy weights as common table expressions (a comma follows each but the last):
       z = (x - min) / (max - min), or (max - x) / (max - min) where direction is negative, over all rows of the relation
       p = z / sum(z);  e_j = -1 / ln(n) * sum(p ln p), 0 ln 0 = 0;  w_j = (1 - e_j) / sum_j (1 - e_j)
    relation  city_code, year, indicator, direction (1 or -1) and value, never null: one row an observation of an indicator,
              every city and year with the same indicators
    keep      more columns of the relation that `scaled` carries on
    Gives     scaled (city_code, year, indicator, z, keep) and weights (indicator, entropy, weight).
    An indicator with one value has no z and no row in weights; where no indicator varies, no weight exists.
    An index is sum_j w_j z_j: entropy_index() below. -#}
{% macro entropy_weights(relation, keep=[]) -%}
bounds as (
    select
        indicator,
        min(value) as low,
        max(value) as high
    from {{ relation }}
    group by indicator
),

scaled as (
    select
        i.city_code,
        i.year,
        i.indicator,
        {% for column in keep %}
        i.{{ column }},
        {% endfor %}
        case when i.direction > 0 then i.value - b.low else b.high - i.value end / nullif(b.high - b.low, 0) as z
    from {{ relation }} as i
    inner join bounds as b on i.indicator = b.indicator
),

shares as (
    select
        indicator,
        z / nullif((sum(z::decimal(38, 15)) over (partition by indicator))::double, 0) as p,
        count(*) over (partition by indicator) as sample_n
    from scaled
    where z is not null
),

divergence as (
    select
        indicator,
        1 + {{ exact_sum('coalesce(p * ' ~ safe_ln('p') ~ ', 0)') }} / nullif({{ safe_ln('max(sample_n)') }}, 0) as d
    from shares
    group by indicator
),

weights as (
    select
        indicator,
        1 - d as entropy,
        d / nullif((sum(d::decimal(38, 15)) over ())::double, 0) as weight
    from divergence
)
{%- endmacro %}

{#- The index of a city and year from the expressions above: an aggregate over `scaled` as s joined to `weights` as w. -#}
{% macro entropy_index() -%}
    round({{ exact_sum('s.z * w.weight') }}, 12)
{%- endmacro %}
