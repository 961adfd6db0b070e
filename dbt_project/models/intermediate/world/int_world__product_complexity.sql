/* petc_vt = sum_i (x_ivt / X_it) L_it / sum_i (x_ivt / X_it): the mean GDP per head of a product's exporters, weighted
   by the product's share in each one's exports (digital_export_resilience, section 5.2; Hausmann, Hwang and Rodrik
   2007). Year by year; GDP per head in USD of 2015; exporters without it leave both sums. DECISIONS 34. */
with shares as (
    select
        c.iso3_code,
        f.hs6_code,
        f.year,
        f.value_usd::double / nullif((sum(f.value_usd) over (partition by c.iso3_code, f.year))::double, 0) as product_share
    from {{ ref('stg_world_trade__flows') }} as f
    inner join {{ ref('stg_world_trade__countries') }} as c on f.exporter_code = c.exporter_code
),

incomes as (
    select
        iso3_code,
        year,
        max(gdp_per_head_usd) as gdp_per_head_usd
    from {{ ref('stg_world_trade__income') }}
    where indicator_code = 'NY.GDP.PCAP.KD'
    group by iso3_code, year
)

select
    s.hs6_code,
    s.year,
    {{ exact_sum('s.product_share * i.gdp_per_head_usd') }} / nullif({{ exact_sum('s.product_share') }}, 0) as product_complexity_usd,
    count(*)::int as exporters_n
from shares as s
inner join incomes as i on s.iso3_code = i.iso3_code and s.year = i.year
group by s.hs6_code, s.year
