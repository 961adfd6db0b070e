/* Each value of a city beyond the dictionary's bounds of its indicator, in the edition that prints it, with what the
   dictionary says of the bounds. It is left out, and the next edition counts. DECISIONS 50. */
select
    i.city_code,
    i.scope,
    i.indicator,
    i.year,
    i.vintage,
    i.value,
    d.bound_reason as reason
from {{ ref('int_city__indicator_vintages') }} as i
inner join {{ ref('columns') }} as d on i.indicator = d.column_name
where i.is_out_of_bounds
