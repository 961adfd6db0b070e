/* Output of the census that no city's structure holds, by place and reason; lines that the reader set aside are in meta.set_aside. */
select
    set_aside_reason,
    left(division_code, 4) as prefecture_code,
    gbt2002_code,
    count(*) as rows_n,
    sum(output_cny::decimal(38, 2))::double as industrial_output_cny
from {{ ref('int_census__located') }}
where set_aside_reason is not null
group by set_aside_reason, left(division_code, 4), gbt2002_code
