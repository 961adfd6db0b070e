/* One work report of each spine city and year. Of two for one year the one under the city's present name counts, then that
   of the file that comes first by its fingerprint. 莱芜's own reports stay out. A text that is another city's too, or
   another year's, is marked: whose it is, nobody knows. The texts themselves stay in the lake. DECISIONS 25. */
with placed as (
    select
        n.city_code,
        r.year,
        r.characters_n,
        r.file_id,
        r.line,
        n.relation
    from {{ ref('stg_reports__texts') }} as r
    inner join {{ ref('int_geography__city_name') }} as n on r.city_name = n.city_name
),

texts as (
    select
        file_id,
        line,
        min(city_code) <> max(city_code) or min(year) <> max(year) as is_text_shared
    from placed
    group by file_id, line
),

ranked as (
    select
        city_code,
        year,
        characters_n,
        file_id,
        line,
        row_number() over (partition by city_code, year order by relation <> 'current', file_id, line) as rank_n
    from placed
    where city_code is not null and relation <> 'merged'
)

select
    r.city_code,
    r.year,
    r.characters_n,
    r.file_id,
    r.line,
    t.is_text_shared
from ranked as r
inner join texts as t
    on r.file_id = t.file_id and r.line = t.line
where r.rank_n = 1
