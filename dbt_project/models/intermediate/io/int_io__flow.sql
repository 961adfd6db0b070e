/* What China's industries buy from each industry of the whole world, and their output, from every input-output table.
   Inter-country tables print China as CHN, or as CN1 (all but export processing) and CN2 (export processing): where CN1
   and CN2 carry output they count, together, and CHN does not; else CHN alone. Mexico (MEX, MX1, MX2) likewise as a seller.
   So no purchase counts twice, whatever the edition. Million USD. DECISIONS 23. */
with editions as (
    select
        edition,
        year,
        bool_or(column_country in ('CN1', 'CN2') and row_industry in ('OUTPUT', 'OUT') and value_usd_million > 0) as china_is_split,
        bool_or(row_country in ('MX1', 'MX2') and value_usd_million > 0) as mexico_is_split
    from {{ ref('stg_input_output__icio') }}
    group by edition, year
),

cells as (
    select
        'icio' as source_table,
        c.edition,
        c.year,
        case when c.row_industry in ('OUTPUT', 'OUT') then 'OUTPUT' else c.row_industry end as row_code,
        c.column_code,
        c.value_usd_million
    from {{ ref('stg_input_output__icio') }} as c
    inner join editions as e on c.edition = e.edition and c.year = e.year
    where
        (c.column_country in ('CN1', 'CN2')) = e.china_is_split
        and (coalesce(c.row_country, '') not in ('CHN', 'CN1', 'CN2') or (c.row_country in ('CN1', 'CN2')) = e.china_is_split)
        and (coalesce(c.row_country, '') not in ('MEX', 'MX1', 'MX2') or (c.row_country in ('MX1', 'MX2')) = e.mexico_is_split)
    union all
    select
        'national' as source_table,
        edition,
        year,
        row_code,
        column_code,
        value_usd_million
    from {{ ref('stg_input_output__national') }}
),

industries as (
    select distinct
        source_table,
        edition,
        industry_code
    from {{ ref('io_industries') }}
),

flows as (
    select
        c.source_table,
        c.edition,
        c.year,
        c.row_code,
        c.column_code,
        sum(c.value_usd_million::decimal(38, 6))::double as value_usd_million
    from cells as c
    inner join industries as u on c.source_table = u.source_table and c.edition = u.edition and c.column_code = u.industry_code
    left join industries as i on c.source_table = i.source_table and c.edition = i.edition and c.row_code = i.industry_code
    where i.industry_code is not null or c.row_code = 'OUTPUT'
    group by c.source_table, c.edition, c.year, c.row_code, c.column_code
)

select
    f.source_table,
    f.edition,
    f.year,
    f.row_code as input_industry_code,
    f.column_code as using_industry_code,
    f.value_usd_million,
    x.value_usd_million as output_usd_million
from flows as f
inner join flows as x
    on
        f.source_table = x.source_table and f.edition = x.edition and f.year = x.year
        and f.column_code = x.column_code and x.row_code = 'OUTPUT'
where f.row_code <> 'OUTPUT'
