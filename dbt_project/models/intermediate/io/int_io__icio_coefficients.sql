/* Each ICIO edition's direct input coefficients of China: inputs of industry i from the whole world per unit of
   output of China's industry j, million USD over million USD. China is CN1 + CN2 where they carry its output. DECISIONS 23. */
select
    edition,
    year,
    input_industry_code,
    using_industry_code,
    value_usd_million / nullif(output_usd_million, 0) as input_coefficient
from {{ ref('int_io__flow') }}
where source_table = 'icio'
