/* Each indicator of each city and year in every edition (vintage) that prints it, and which one is chosen.
   One row counts for a city, year and edition: the city's own, under its present name before a former one, and of the
   whole city before one without a stated scope. 莱芜 is added to 济南 up to 2018 where the edition prints it apart and
   the indicator adds up. Names outside the spine stay out and are listed in int_city__left_out. The order of editions:
   seeds/judgments/vintages.csv; known errors of an edition: seeds/corrections/indicators.csv. A value beyond the
   dictionary's bounds is never chosen: the next edition is, and int_city__values_left_out lists it.
   DECISIONS 11, 12, 48, 50. */
with corrected as (
    select
        i.city_name,
        i.scope,
        i.indicator,
        i.year,
        i.vintage,
        i.is_interpolated,
        i.file_id,
        i.line,
        case when k.city_name is null then i.value else k.value end as value,
        k.city_name is not null as is_corrected
    from {{ ref('stg_yearbook__indicators') }} as i
    left join {{ ref('indicators') }} as k
        on
            i.city_name = k.city_name and i.indicator = k.indicator and i.year = k.year and i.vintage = k.vintage
            and i.scope <> 'district' and abs(i.value - k.value_expected) <= 1e-9 * abs(k.value_expected)
),

placed as (
    select
        n.city_code,
        n.relation = 'merged' as is_merged,
        case when i.scope = 'district' then 'district' else 'city' end as scope,
        i.indicator,
        i.year,
        i.vintage,
        i.value,
        i.is_interpolated,
        i.is_corrected,
        row_number() over (
            partition by
                n.city_code, n.relation = 'merged', case when i.scope = 'district' then 'district' else 'city' end,
                i.indicator, i.year, i.vintage
            order by i.scope = 'unstated', n.relation <> 'current', i.file_id, i.line
        ) as rank_n
    from corrected as i
    inner join {{ ref('int_geography__city_name') }} as n on i.city_name = n.city_name
    where
        n.city_code is not null
        and i.year between {{ [var('first_year'), 2000] | min }} and {{ var('last_year') }}  -- real GDP counts from 2000
        and (n.relation <> 'merged' or (i.year <= n.last_year and {{ adds_up('i.indicator') }}))
),

whole as (
    select
        city_code,
        scope,
        indicator,
        year,
        vintage,
        max(case when not is_merged then value end) + coalesce(max(case when is_merged then value end), 0) as value,
        bool_or(is_interpolated) as is_interpolated,
        bool_or(is_corrected) as is_corrected
    from placed
    where rank_n = 1
    group by city_code, scope, indicator, year, vintage
),

bounded as (
    select
        w.*,
        coalesce(w.value < d.minimum::double or w.value > d.maximum::double, false) as is_out_of_bounds
    from whole as w
    left join {{ ref('columns') }} as d on w.indicator = d.column_name
    where w.value is not null
)

select
    b.city_code,
    b.scope,
    b.indicator,
    b.year,
    b.vintage,
    b.value,
    b.is_interpolated,
    b.is_corrected,
    b.is_out_of_bounds,
    not b.is_out_of_bounds and row_number() over (
        partition by b.city_code, b.scope, b.indicator, b.year
        order by b.is_out_of_bounds, v.priority
    ) = 1 as is_chosen
from bounded as b
inner join {{ ref('vintages') }} as v on b.vintage = v.vintage
