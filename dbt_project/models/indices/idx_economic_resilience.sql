/* idx_economic_resilience: sum_j w_j z_ijt over the 17 indicators of paper D's table 1 (entropy weights), with
       z = (x - min) / (max - min), or (max - x) / (max - min) for a negative indicator, over the whole sample
       p = z / sum(z);  e_j = -1 / ln(n) * sum(p ln p), 0 ln 0 = 0;  w_j = (1 - e_j) / sum_j (1 - e_j)
   Sample: cities with all indicators in every year 2012-2021. An indicator with one value has no weight. */
with measured as (
    select
        v.city_code,
        v.year,
        v.variable as indicator,
        v.value,
        v.is_interpolated,
        r.direction
    from {{ ref('int_resilience__variable') }} as v
    inner join {{ ref('resilience_indicators') }} as r on v.variable = r.indicator
),

complete as (
    select city_code
    from measured
    where value is not null
    group by city_code
    having count(*) = 10 * (select count(*) from {{ ref('resilience_indicators') }})
),

bounds as (
    select
        i.indicator,
        min(i.value) as low,
        max(i.value) as high
    from measured as i
    inner join complete as c on i.city_code = c.city_code
    group by i.indicator
),

scaled as (
    select
        i.city_code,
        i.year,
        i.indicator,
        i.is_interpolated,
        case when i.direction > 0 then i.value - b.low else b.high - i.value end / nullif(b.high - b.low, 0) as z
    from measured as i
    inner join complete as c on i.city_code = c.city_code
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
        1 + {{ exact_sum('case when p > 0 then p * ln(p) else 0 end') }} / ln(max(sample_n)) as d
    from shares
    group by indicator
),

weights as (
    select
        indicator,
        d / nullif((sum(d::decimal(38, 15)) over ())::double, 0) as weight
    from divergence
)

select
    s.city_code,
    s.year,
    round({{ exact_sum('s.z * w.weight') }}, 12) as resilience_index,
    bool_or(s.is_interpolated) as has_interpolated
from scaled as s
inner join weights as w on s.indicator = w.indicator
group by s.city_code, s.year
