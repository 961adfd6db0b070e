{{ config(severity='warn') }}
/* A city's value that one edition gives twice, under two names, scopes or files, and differently: the panels take
   the first by the order that int_city__indicator_vintages states. */
select
    n.city_code,
    i.indicator,
    i.year,
    i.vintage,
    min(i.value) as lowest,
    max(i.value) as highest,
    min(i.file_id) as file_id,
    max(i.file_id) as other_file_id
from {{ ref('stg_yearbook__indicators') }} as i
inner join {{ ref('int_geography__city_name') }} as n on i.city_name = n.city_name
where n.city_code is not null and n.relation <> 'merged'
group by n.city_code, case when i.scope = 'district' then 'district' else 'city' end, i.indicator, i.year, i.vintage
having max(i.value) - min(i.value) > 1e-9 * max(abs(i.value))
