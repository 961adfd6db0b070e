/* Each national table's direct input coefficients: a_ij = z_ij / x_j, the input of industry i per unit of output
   of industry j, from OECD's national tables (million USD); output is the table's own row OUTPUT. */
with cells as (
    select
        year,
        row_code,
        column_code,
        value_usd_million
    from {{ ref('stg_input_output__national') }}
),

outputs as (
    select
        year,
        column_code,
        value_usd_million as output_usd_million
    from cells
    where row_code = 'OUTPUT'
)

select
    z.year,
    z.row_code as input_industry_code,
    z.column_code as using_industry_code,
    z.value_usd_million / nullif(x.output_usd_million, 0) as input_coefficient
from cells as z
inner join outputs as x on z.year = x.year and z.column_code = x.column_code
where z.row_code between '01' and '45' and z.column_code between '01' and '45'
