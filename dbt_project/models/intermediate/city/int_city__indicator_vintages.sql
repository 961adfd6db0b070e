/* Each indicator of each city and year in every edition (vintage) that prints it, and which one is chosen: the first by
   seeds/judgments/vintages.csv whose value can be used. Beyond the dictionary's bounds, doubtful
   (int_city__doubtful_values) or interpolated it cannot (the variable use_interpolated admits the last): the next edition
   counts, or the cell is null, and int_city__values_left_out says why. DECISIONS 11, 50, 61, 59. */
with judged as (
    select
        e.*,
        d.problem as doubt,
        e.is_out_of_bounds or coalesce(d.problem <> 'printed_alike', false)
        or (e.is_interpolated and not {{ var('use_interpolated', false) }}) as is_left_out
    from {{ ref('int_city__edition_values') }} as e
    left join {{ ref('int_city__doubtful_values') }} as d
        on
            e.city_code = d.city_code and e.scope = d.scope and e.indicator = d.indicator and e.year = d.year
            and e.vintage = d.vintage
)

select
    j.city_code,
    j.scope,
    j.indicator,
    j.year,
    j.vintage,
    j.value,
    j.is_interpolated,
    j.is_corrected,
    j.is_out_of_bounds,
    j.doubt,
    not j.is_left_out and row_number() over (
        partition by j.city_code, j.scope, j.indicator, j.year
        order by j.is_left_out, v.priority
    ) = 1 as is_chosen
from judged as j
inner join {{ ref('vintages') }} as v on j.vintage = v.vintage
