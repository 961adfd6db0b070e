/* Each name in the city files that has no place of its own in the panels, with the reason and what it covers. */
select
    i.city_name,
    i.vintage,
    coalesce(n.relation, 'unknown') as reason,
    max(coalesce(n.note, 'matches no known name')) as note,
    min(i.year) as first_year,
    max(i.year) as last_year,
    count(*) as cells_n
from {{ ref('stg_yearbook__indicators') }} as i
left join {{ ref('int_geography__city_name') }} as n on i.city_name = n.city_name
where n.city_code is null or n.relation = 'merged'
group by i.city_name, i.vintage, coalesce(n.relation, 'unknown')
