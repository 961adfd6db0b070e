/* Each indicator of each city and year in every edition (vintage) that prints it, and which one is chosen.
   莱芜 is added to 济南 up to 2018 where the indicator adds up; names outside the spine stay out and are listed in
   int_city__left_out. The order of editions: seeds/judgments/vintages.csv. DECISIONS 11, 12. */
with placed as (
    select
        n.city_code,
        n.relation,
        n.last_year,
        case when i.scope = 'district' then 'district' else 'city' end as scope,
        i.indicator,
        i.year,
        i.vintage,
        i.value,
        i.is_interpolated
    from {{ ref('stg_yearbook__indicators') }} as i
    inner join {{ ref('int_geography__city_name') }} as n on i.city_name = n.city_name
    where
        n.city_code is not null
        and i.year between {{ [var('first_year'), 2000] | min }} and {{ var('last_year') }}  -- real GDP counts from 2000
),

merged as (
    select
        city_code,
        scope,
        indicator,
        year,
        vintage,
        sum(value::decimal(38, 6))::double as value,
        bool_or(is_interpolated) as is_interpolated
    from placed
    where relation <> 'merged' or (year <= last_year and {{ adds_up('indicator') }})
    group by city_code, scope, indicator, year, vintage
)

select
    m.city_code,
    m.scope,
    m.indicator,
    m.year,
    m.vintage,
    m.value,
    m.is_interpolated,
    row_number() over (
        partition by m.city_code, m.scope, m.indicator, m.year
        order by v.priority
    ) = 1 as is_chosen
from merged as m
inner join {{ ref('vintages') }} as v on m.vintage = v.vintage
