/* Each spine city whose seat of government a delivered list gives: where it lies, in degrees. A city under two names, or
   in two files, counts once: under its present name, and of the file that comes first by its fingerprint. The seeds'
   coordinates of cities are middles of their areas, and no seats. DECISIONS 52. */
with placed as (
    select
        n.city_code,
        s.longitude,
        s.latitude,
        row_number() over (partition by n.city_code order by n.relation <> 'current', s.file_id, s.line) as rank_n
    from {{ ref('stg_geography__seats') }} as s
    inner join {{ ref('int_geography__city_name') }} as n on s.city_name = n.city_name
    where n.city_code is not null and n.relation <> 'merged' and s.longitude is not null and s.latitude is not null
)

select
    city_code,
    longitude,
    latitude
from placed
where rank_n = 1
