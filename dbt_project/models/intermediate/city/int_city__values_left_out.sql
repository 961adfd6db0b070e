/* Each value of a city that is left out, in the edition that prints it, with the first problem that holds: out_of_bounds,
   other_year, off_its_sum, power_of_ten (int_city__doubtful_values), interpolated. The next edition counts, or the cell
   is null. DECISIONS 50, 61, 59. */
select
    i.city_code,
    i.scope,
    i.indicator,
    i.year,
    i.vintage,
    i.value,
    case when i.is_out_of_bounds then 'out_of_bounds' else coalesce(i.doubt, 'interpolated') end as problem,
    d.reference_value,
    case when i.is_out_of_bounds then c.bound_reason else {{ doubt_reason('i.doubt') }} end as reason
from {{ ref('int_city__indicator_vintages') }} as i
left join {{ ref('int_city__doubtful_values') }} as d
    on
        i.city_code = d.city_code and i.scope = d.scope and i.indicator = d.indicator and i.year = d.year
        and i.vintage = d.vintage and not i.is_out_of_bounds
left join {{ ref('columns') }} as c on i.indicator = c.column_name
where
    i.is_out_of_bounds or i.doubt <> 'printed_alike'
    or (i.is_interpolated and not {{ var('use_interpolated', false) }})
