/* Each province's marketisation index from its first to its last known year, then carried to 2021 by its mean yearly change,
       x(t) = x(last) + (t - last) * (x(last) - x(first)) / (last - first),
   and flagged (digital_export_resilience, footnote on the index). DECISIONS 35. */
with provinces as (
    select distinct
        province_code,
        province_name_zh
    from {{ ref('cities') }}
),

known as (  -- reports print 内蒙古 as well as 内蒙古自治区
    select
        p.province_code,
        m.year,
        max(m.marketisation_index) as marketisation_index
    from {{ ref('stg_marketisation__provinces') }} as m
    inner join provinces as p on left(p.province_name_zh, length(m.province_name)) = m.province_name
    group by p.province_code, m.year
),

ends as (
    select
        province_code,
        max(year) as last_year,
        max_by(marketisation_index, year) as last_index,
        (max_by(marketisation_index, year) - min_by(marketisation_index, year)) / nullif(max(year) - min(year), 0) as yearly_change
    from known
    group by province_code
)

select
    province_code,
    year,
    marketisation_index,
    false as is_marketisation_extrapolated
from known
union all
select
    e.province_code,
    y.year,
    e.last_index + (y.year - e.last_year) * e.yearly_change as marketisation_index,
    true as is_marketisation_extrapolated
from ends as e
inner join {{ ref('int_time__year') }} as y on e.last_year < y.year and y.year <= 2021
where e.yearly_change is not null
