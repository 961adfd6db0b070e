/* Each spine city and year of the Peking University digital financial inclusion index.
   Placed by the 2018 code, else by name; codes of 2014 that 2018 renumbered are the same row in the file. */
with placed as (
    select
        coalesce(c.city_code, n.city_code) as city_code,
        f.*
    from {{ ref('stg_digital_finance__cities') }} as f
    left join {{ ref('cities') }} as c on f.city_code_2018 = c.city_code
    left join {{ ref('int_geography__city_name') }} as n
        on coalesce(f.city_name_2018, f.city_name_2014) = n.city_name and n.relation <> 'merged'
)

select
    city_code,
    year,
    digital_finance_index,
    coverage_breadth_index,
    usage_depth_index,
    digitisation_level_index
from placed
where city_code is not null
