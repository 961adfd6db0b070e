/* The innovation index of each spine city and year. A city under two names in one year, or in two files, counts once: under
   its present name, and of the file that comes first by its fingerprint. 莱芜's own index stays out. */
with placed as (
    select
        n.city_code,
        i.year,
        i.innovation_index,
        row_number() over (partition by n.city_code, i.year order by n.relation <> 'current', i.file_id, i.line) as rank_n
    from {{ ref('stg_innovation__cities') }} as i
    inner join {{ ref('int_geography__city_name') }} as n on i.city_name = n.city_name
    where n.city_code is not null and n.relation <> 'merged'
)

select
    city_code,
    year,
    innovation_index
from placed
where rank_n = 1
