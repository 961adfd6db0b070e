/* idx_digital_economy: sum_j w_j z_jpt over the seven indicators of digital_export_resilience's table 1 with entropy
   weights (macro entropy_weights; scaled over the whole panel, all cities and years together), and the first principal
   component of the same indicators, standardised. Rows that lack an indicator have no index. DECISIONS 35. */
with observed as (
    {{ digital_economy_sample() }}
),

{{ entropy_weights('observed') }},

by_entropy as (
    select
        s.city_code,
        s.year,
        {{ entropy_index() }} as digital_economy_index,
        count(w.weight)::int as indicators_n
    from scaled as s
    inner join weights as w on s.indicator = w.indicator
    group by s.city_code, s.year
)

select
    e.city_code,
    e.year,
    e.digital_economy_index,
    c.digital_economy_pca_index,
    e.indicators_n
from by_entropy as e
left join {{ ref('int_digital_export_resilience__component') }} as c on e.city_code = c.city_code and e.year = c.year
