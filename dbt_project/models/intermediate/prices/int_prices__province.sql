/* Prices of each province and year, previous year = 100: consumer prices of all items, and the deflator of GDP. A value in
   two files counts once, from the file that comes first by its fingerprint. */
with provinces as (
    select distinct
        province_code,
        province_name_zh
    from {{ ref('cities') }}
),

placed as (
    select
        p.province_code,
        s.year,
        s.price_measure,
        s.province_price_index_pct,
        row_number() over (partition by p.province_code, s.year, s.price_measure order by s.file_id, s.line) as rank_n
    from {{ ref('stg_prices__provinces') }} as s
    inner join provinces as p on s.province_name = p.province_name_zh
    where s.province_price_index_pct is not null
)

select
    province_code,
    year,
    max(case when price_measure = 'consumer_prices' then province_price_index_pct end) as consumer_price_index_pct,
    max(case when price_measure = 'gdp_deflator' then province_price_index_pct end) as gdp_deflator_index_pct
from placed
where rank_n = 1
group by province_code, year
