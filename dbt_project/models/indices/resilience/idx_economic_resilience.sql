/* idx_economic_resilience: sum_j w_j z_ijt over the 17 indicators of ecommerce_resilience's table 1 (entropy weights),
   with
       z = (x - min) / (max - min), or (max - x) / (max - min) for a negative indicator, over the whole sample
       p = z / sum(z);  e_j = -1 / ln(n) * sum(p ln p), 0 ln 0 = 0;  w_j = (1 - e_j) / sum_j (1 - e_j)
   Sample: cities with all indicators in every year 2012-2021. An indicator that is missing everywhere or has one value
   has no weight: int_ecommerce_resilience__problem names it, and indicators_n counts those that have one. */
with measured as (
    select
        v.city_code,
        v.year,
        v.variable as indicator,
        v.value,
        v.is_interpolated,
        r.direction
    from {{ ref('int_ecommerce_resilience__variable') }} as v
    inner join {{ ref('resilience_indicators') }} as r on v.variable = r.indicator
),

complete as (
    select city_code
    from measured
    where value is not null
    group by city_code
    having
        count(*) = 10 * (
            select count(distinct m.indicator)
            from measured as m
            where m.value is not null
        )
),

observed as (
    select
        i.city_code,
        i.year,
        i.indicator,
        i.value,
        i.is_interpolated,
        i.direction
    from measured as i
    inner join complete as c on i.city_code = c.city_code
    where i.value is not null
),

{{ entropy_weights('observed', keep=['is_interpolated']) }}

select
    s.city_code,
    s.year,
    {{ entropy_index() }} as resilience_index,
    count(w.weight)::integer as indicators_n,
    bool_or(s.is_interpolated) as has_interpolated
from scaled as s
inner join weights as w on s.indicator = w.indicator
group by s.city_code, s.year
