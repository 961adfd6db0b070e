/* Each unit of quantity as records write it, with its number in the fact table. */
with written as (
    select
        quantity_unit,
        count(*)::bigint as records_n
    from {{ ref('stg_customs__records') }}
    where quantity_unit is not null
    group by quantity_unit
)

select
    row_number() over (order by quantity_unit)::smallint as unit_id,
    quantity_unit,
    records_n
from written
