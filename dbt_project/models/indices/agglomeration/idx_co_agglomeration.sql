/* idx_co_agglomeration (virtual_agglomeration_quality, eqs. 27 and 28), with vagg the virtual agglomeration index in
   per cent:
       agg_ct   = (secondary employees / employees of city c) / (the same of all cities): a location quotient
       coa_ct   = 1 - |agg - vagg| / (agg + vagg)
       d_coa_ct = sign * sqrt(|agg_t - agg_t-1| * |vagg_t - vagg_t-1|), sign 1 where both moved the same way, else -1
   t-1 is the year before, not the last one known. DECISIONS 24. */
with employed as (
    select
        city_code,
        year,
        secondary_employees_n,
        employees_n,
        {{ exact_sum_over('secondary_employees_n', 'year') }} as all_secondary_n,
        {{ exact_sum_over('employees_n', 'year') }} as all_employees_n
    from {{ ref('int_city__indicators') }}
    where secondary_employees_n is not null and employees_n > 0
),

joined as (
    select
        e.city_code,
        e.year,
        (e.secondary_employees_n / e.employees_n) / nullif(e.all_secondary_n / nullif(e.all_employees_n, 0), 0) as agg,
        v.virtual_agglomeration_index as vagg
    from employed as e
    left join {{ ref('idx_virtual_agglomeration') }} as v on e.city_code = v.city_code and e.year = v.year
)

select
    b.city_code,
    b.year,
    round(b.agg, 12) as secondary_location_quotient,
    round(1 - abs(b.agg - b.vagg) / nullif(b.agg + b.vagg, 0), 12) as co_agglomeration_index,
    round(
        case when (b.agg - p.agg) * (b.vagg - p.vagg) > 0 then 1 else -1 end * sqrt(abs(b.agg - p.agg) * abs(b.vagg - p.vagg)), 12
    ) as co_agglomeration_change_index
from joined as b
left join joined as p on b.city_code = p.city_code and b.year = p.year + 1
