{#- Every industry that a published table prints is in seeds/judgments/io_industries: one that is not would be left out of sums silently. -#}
select distinct
    c.edition,
    c.row_industry
from {{ ref('stg_input_output__icio') }} as c
left join {{ ref('io_industries') }} as i
    on i.source_table = 'icio' and c.edition = i.edition and c.row_industry = i.industry_code
where c.row_country is not null and c.row_industry <> 'TAXSUB' and i.industry_code is null
