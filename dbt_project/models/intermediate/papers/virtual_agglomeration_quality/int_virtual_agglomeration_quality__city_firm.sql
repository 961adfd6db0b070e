/* int_virtual_agglomeration_quality__city_firm: quality of what a matched firm exports from a city in a year, weighted by
   exports, and the firm's age, size and capital per head by the survey.
   quality = sum of value * index / sum of value, over cells with an index (virtual_agglomeration_quality, equation
   21). DECISIONS 21, 69. */
with matched as (
    select
        m.firm_id,
        m.firm_code,
        m.year,
        m.match_method,
        j.industry_code,
        {{ safe_ln('m.year - e.opening_year + 1') }} as ln_firm_age,
        u.ln_employees,
        u.ln_capital - u.ln_employees as ln_capital_per_employee
    from {{ ref('int_firms__customs_match') }} as m
    inner join {{ ref('int_firms__judged') }} as j on m.firm_id = j.firm_id and m.year = j.year
    inner join {{ ref('stg_firms__enterprises') }} as e on j.file_id = e.file_id and j.line = e.line
    left join {{ ref('int_firms__enterprise') }} as u on m.firm_id = u.firm_id and m.year = u.year
    where m.match_problem is null and j.set_aside_reason is null
),

quality as (
    select
        q.city_id,
        f.firm_code,
        q.year,
        {{ quality_columns() }},
        count(distinct q.hs6_id)::int as quality_hs6_n
    from {{ ref('int_virtual_agglomeration_quality__firm_product') }} as q
    inner join {{ ref('int_virtual_agglomeration_quality__product') }} as p on q.hs6_id = p.hs6_id
    inner join {{ ref('int_trade__firm') }} as f on q.firm_id = f.firm_id
    where q.quality_index is not null
    group by q.city_id, f.firm_code, q.year
)

select
    right('000' || q.city_id::string, 4) as city_code,
    q.firm_code,
    m.firm_id,
    q.year,
    m.match_method,
    m.industry_code,
    q.quality_index,
    q.ordinary_quality_index,
    q.processing_quality_index,
    q.intermediate_quality_index,
    q.final_quality_index,
    q.quality_value_usd,
    q.quality_hs6_n,
    m.ln_firm_age,
    m.ln_employees,
    m.ln_capital_per_employee
from quality as q
inner join matched as m on q.firm_code = m.firm_code and q.year = m.year
