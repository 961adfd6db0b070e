/* Direct requirement coefficients of digital services by the ISIC Rev. 4 division that uses them, in every table:
       a_sj = z_sj / x_j,  s: telecommunications (61), software and information (62, 63), trade (45 to 47)
   A division takes the industry of its table; one that a table splits (24 in 24A and 24B) takes its parts together.
   Where a table does not print an industry apart (post with telecommunications in 2016) the bundle stands for it. */
with roles as (
    select distinct
        source_table,
        edition,
        industry_code,
        case isic4_code when '61' then 'telecom' when '62' then 'software' when '46' then 'trade' end as role
    from {{ ref('io_industries') }}
    where isic4_code in ('46', '61', '62')
),

used as (
    select
        f.source_table,
        f.edition,
        f.year,
        f.using_industry_code,
        max(f.output_usd_million) as output_usd_million,
        max(case when r.role = 'telecom' then f.value_usd_million end) as telecom_usd_million,
        max(case when r.role = 'software' then f.value_usd_million end) as software_usd_million,
        max(case when r.role = 'trade' then f.value_usd_million end) as trade_usd_million
    from {{ ref('int_io__flow') }} as f
    inner join roles as r
        on f.source_table = r.source_table and f.edition = r.edition and f.input_industry_code = r.industry_code
    group by f.source_table, f.edition, f.year, f.using_industry_code
),

divisions as (
    select
        u.source_table,
        u.edition,
        u.year,
        i.isic4_code,
        {{ exact_sum('u.output_usd_million') }} as output_usd_million,
        {{ exact_sum('u.telecom_usd_million') }} as telecom_usd_million,
        {{ exact_sum('u.software_usd_million') }} as software_usd_million,
        {{ exact_sum('u.trade_usd_million') }} as trade_usd_million
    from used as u
    inner join {{ ref('io_industries') }} as i
        on u.source_table = i.source_table and u.edition = i.edition and u.using_industry_code = i.industry_code
    group by u.source_table, u.edition, u.year, i.isic4_code
)

select
    source_table,
    edition,
    year,
    isic4_code,
    output_usd_million,
    telecom_usd_million,
    software_usd_million,
    trade_usd_million,
    telecom_usd_million / nullif(output_usd_million, 0) as telecom_coefficient,
    software_usd_million / nullif(output_usd_million, 0) as software_coefficient,
    trade_usd_million / nullif(output_usd_million, 0) as trade_coefficient
from divisions
