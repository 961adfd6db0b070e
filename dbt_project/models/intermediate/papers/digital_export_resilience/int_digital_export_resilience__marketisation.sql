/* Each province's marketisation index from its first to its last known year, then carried to 2021 by its mean yearly change,
       x(t) = x(last) + (t - last) * (x(last) - x(first)) / (last - first),
   and flagged (digital_export_resilience, footnote on the index). The reports have two bases, 1997 and 2008, which no change
   may cross: first is a province's first year from 2008 on, as the report of the last year has it. DECISIONS 35, 56. */
with provinces as (
    select distinct
        province_code,
        province_name_zh
    from {{ ref('cities') }}
),

reports as (
    select
        file_id,
        max(year) as last_year
    from {{ ref('stg_marketisation__provinces') }}
    group by file_id
),

known as (  -- reports print 内蒙古 as well as 内蒙古自治区
    select
        p.province_code,
        m.year,
        max_by(m.marketisation_index, (r.last_year, m.marketisation_index)) filter (where m.marketisation_index is not null) as marketisation_index
    from {{ ref('stg_marketisation__provinces') }} as m
    inner join reports as r on m.file_id is not distinct from r.file_id
    inner join provinces as p on left(p.province_name_zh, length(m.province_name)) = m.province_name
    group by p.province_code, m.year
),

ends as (
    select
        province_code,
        max(year) as last_year,
        max_by(marketisation_index, year) filter (where marketisation_index is not null) as last_index,
        (
            max_by(marketisation_index, year) filter (where marketisation_index is not null)
            - min_by(marketisation_index, year) filter (where year >= 2008 and marketisation_index is not null)
        )
        / nullif(max(year) - min(year) filter (where year >= 2008), 0) as yearly_change
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
