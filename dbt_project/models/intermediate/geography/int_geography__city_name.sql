/* Each published name of a prefecture-level division once, with the spine city that it means.
   A name leads to one city whatever the year, since panels print today's names over old years. DECISIONS 5. */
select
    name_zh as city_name,
    max(city_code) as city_code,
    max_by(relation, last_year) filter (where relation is not null) as relation,
    max(last_year) as last_year,
    max_by(note, last_year) filter (where note is not null) as note
from {{ ref('city_names') }}
group by name_zh
