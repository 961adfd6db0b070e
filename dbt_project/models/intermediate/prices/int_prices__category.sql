/* Consumer prices by category in each spine city and year, previous year = 100. A city under two names in one year, or in two
   files, counts once: under its present name, and of the file that comes first by its fingerprint. */
with placed as (
    select
        n.city_code,
        p.year,
        p.category,
        p.category_price_index_pct,
        row_number() over (partition by n.city_code, p.year, p.category order by n.relation <> 'current', p.file_id, p.line) as rank_n
    from {{ ref('stg_prices__consumer') }} as p
    inner join {{ ref('int_geography__city_name') }} as n on p.city_name = n.city_name
    where n.city_code is not null and n.relation <> 'merged' and p.category <> 'all_items'
)

select
    city_code,
    year,
    category,
    category_price_index_pct
from placed
where rank_n = 1
