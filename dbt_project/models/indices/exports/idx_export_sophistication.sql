/* cetc_pt = sum_v (x_pvt / X_pt) petc_vt: the complexity of a city's exports, products weighted by their value
   (digital_export_resilience, section 5.2). X is taken over products with a petc, whose share in the city's exports
   stands beside. DECISIONS 34. */
select
    p.city_code,
    p.year,
    {{ exact_sum('p.value_cents::double / 1e6 * c.product_complexity_usd') }}
    / nullif({{ exact_sum('case when c.product_complexity_usd is not null then p.value_cents::double / 1e6 end') }}, 0)
        as export_sophistication_usd,
    coalesce((sum(case when c.product_complexity_usd is not null then p.value_cents end))::double, 0)
    / nullif((sum(p.value_cents))::double, 0) as sophistication_covered_share
from {{ ref('int_digital_export_resilience__product_year') }} as p
left join {{ ref('int_world__product_complexity') }} as c on p.hs6_code = c.hs6_code and p.year = c.year
group by p.city_code, p.year
