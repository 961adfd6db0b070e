/* Each ICIO edition's direct input coefficients of China: inputs of industry i from the whole world per unit of
   output of China's industry j. The 2021 edition prints China as CN1 + CN2 with zeros under CHN, so the three
   are summed. Million USD over million USD. */
with cells as (
    select
        edition,
        year,
        row_country,
        row_industry,
        column_code,
        sum(value_usd_million::decimal(38, 6)) as value_usd_million
    from {{ ref('stg_input_output__icio') }}
    where column_country in ('CHN', 'CN1', 'CN2')
    group by edition, year, row_country, row_industry, column_code
),

outputs as (
    select
        edition,
        year,
        column_code,
        value_usd_million as output_usd_million
    from cells
    where row_industry = 'OUTPUT'
)

select
    z.edition,
    z.year,
    z.row_industry as input_industry_code,
    z.column_code as using_industry_code,
    sum(z.value_usd_million)::double / nullif(max(x.output_usd_million)::double, 0) as input_coefficient
from cells as z
inner join outputs as x on z.edition = x.edition and z.year = x.year and z.column_code = x.column_code
where z.row_country is not null and z.row_industry not in ('OUTPUT', 'VALU', 'TAXSUB')
group by z.edition, z.year, z.row_industry, z.column_code
