/* One row a city and year, 2012-2021, of paper D's sample: cities with every indicator and control in all ten years.
   zone_did = 1 from the year in which the city's cross-border e-commerce zone was approved, batches of 2015-2020
   (the paper's first five). Gaps between known years are interpolated and flagged. DECISIONS 16, 17. */
with controls as (
    select
        city_code,
        year,
        {% for name in ['agglomeration', 'openness_share', 'fdi_share', 'science_share', 'fdi_cny'] %}
        max(value) filter (where variable = '{{ name }}') as {{ name }},
        {% endfor %}
        bool_or(is_interpolated) as has_interpolated
    from {{ ref('int_resilience__variable') }}
    group by city_code, year
),

complete as (
    select city_code
    from controls
    where
        agglomeration is not null and openness_share is not null and fdi_share is not null
        and science_share is not null and fdi_cny > 0
    group by city_code
    having count(*) = 10
)

select
    y.city_code,
    y.city_name_zh,
    y.year,
    r.resilience_index,
    case when y.ecommerce_zone_year <= least(y.year, 2020) then 1 else 0 end::smallint as zone_did,
    case when y.ecommerce_zone_year <= 2020 then y.ecommerce_zone_year end as ecommerce_zone_year,
    case when y.broadband_china_year <= y.year then 1 else 0 end::smallint as broadband_did,
    c.agglomeration,
    c.openness_share,
    c.fdi_share,
    c.science_share,
    ln(c.fdi_cny / 10000) as ln_fdi,
    y.digital_finance_index,
    y.tier,
    y.region,
    c.has_interpolated
from controls as c
inner join complete as s on c.city_code = s.city_code
inner join {{ ref('city_year') }} as y on c.city_code = y.city_code and c.year = y.year
inner join {{ ref('idx_economic_resilience') }} as r on c.city_code = r.city_code and c.year = r.year
order by y.city_code, y.year
