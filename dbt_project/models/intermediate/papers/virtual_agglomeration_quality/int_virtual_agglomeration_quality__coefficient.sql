/* Direct requirement coefficients of digital services (virtual_agglomeration_quality, eq. 22: Virtual_st), by using
   division and year:
       telecommunications + software and information + trade * (internet wholesale share + internet retail share)
   OECD prints trade as one industry, so each share is of all trade. All years come from one family of tables: the first
   of seeds/judgments/io_tables that has any, or the one that the variable input_output_tables names (none, if it was not delivered).
   Without the shares of a year its sum is null. DECISIONS 23, 57. */
{% set wanted = var('input_output_tables') %}
with family as (
    select
        t.source_table,
        t.edition
    from {{ ref('io_tables') }} as t
    inner join {{ ref('int_io__digital_input') }} as d on t.source_table = d.source_table and t.edition = d.edition
    {% if wanted %}
    where t.source_table || ' ' || t.edition = '{{ wanted }}'
    {% endif %}
    qualify row_number() over (order by t.priority) = 1
),

parts as (
    select
        d.year,
        d.isic4_code,
        d.source_table,
        d.edition,
        d.output_usd_million,
        d.telecom_coefficient,
        d.software_coefficient,
        d.trade_coefficient * s.internet_wholesale_share as internet_wholesale_coefficient,
        d.trade_coefficient * s.internet_retail_share as internet_retail_coefficient,
        coalesce(s.is_interpolated, false) as is_interpolated
    from {{ ref('int_io__digital_input') }} as d
    inner join family as f on d.source_table = f.source_table and d.edition = f.edition
    left join {{ ref('int_virtual_agglomeration_quality__trade_split') }} as s on d.year = s.year
)

select
    year,
    isic4_code,
    source_table,
    edition,
    telecom_coefficient,
    software_coefficient,
    internet_wholesale_coefficient,
    internet_retail_coefficient,
    telecom_coefficient + software_coefficient + internet_wholesale_coefficient + internet_retail_coefficient as virtual_coefficient,
    output_usd_million
    * (telecom_coefficient + software_coefficient + internet_wholesale_coefficient + internet_retail_coefficient) as virtual_input_usd_million,
    is_interpolated
from parts
