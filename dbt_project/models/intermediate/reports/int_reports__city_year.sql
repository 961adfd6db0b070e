/* One work report of each spine city and year. Of two for one year the one under the city's present name counts, then that
   of the file that comes first by its fingerprint. 莱芜's own reports stay out. The texts
   themselves stay in the lake. */
with placed as (
    select
        n.city_code,
        r.year,
        r.characters_n,
        r.file_id,
        r.line,
        row_number() over (partition by n.city_code, r.year order by n.relation <> 'current', r.file_id, r.line) as rank_n
    from {{ ref('stg_reports__texts') }} as r
    inner join {{ ref('int_geography__city_name') }} as n on r.city_name = n.city_name
    where n.city_code is not null and n.relation <> 'merged'
)

select
    city_code,
    year,
    characters_n,
    file_id,
    line
from placed
where rank_n = 1
