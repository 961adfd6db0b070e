/* Which enterprise of the survey is which firm of customs, in each year in which the survey can use the one and the other
   trades; firms whose name says that they are intermediaries are none. By a name of any year; those that have no name in
   common with anybody of the year, by telephone and postcode. A year in which either has several counterparts says
   nothing: match_problem. DECISIONS 69. */
with traders as (
    select
        p.firm_code,
        p.year
    from {{ ref('int_trade__firm_postcode') }} as p
    inner join {{ ref('int_trade__firm') }} as f on p.firm_code = f.firm_code
    where not f.is_intermediary
),

candidates as (
    select distinct
        e.firm_id,
        t.firm_code,
        e.year,
        s.match_method
    from {{ ref('int_firms__key') }} as s
    inner join {{ ref('int_trade__firm_key') }} as c on s.match_method = c.match_method and s.match_key = c.match_key
    inner join {{ ref('int_firms__judged') }} as e on s.firm_id = e.firm_id
    inner join traders as t on c.firm_code = t.firm_code and e.year = t.year
    where e.set_aside_reason is null
),

judged as (
    select
        c.*,
        count(case when c.match_method = 'name' then 1 end) over (partition by c.firm_id, c.year) as firm_names_n,
        count(case when c.match_method = 'name' then 1 end) over (partition by c.firm_code, c.year) as customs_names_n
    from candidates as c
),

kept as (
    select
        firm_id,
        firm_code,
        year,
        match_method,
        count(*) over (partition by firm_id, year) as customs_n,
        count(*) over (partition by firm_code, year) as enterprises_n
    from judged
    where match_method = 'name' or (firm_names_n = 0 and customs_names_n = 0)
)

select
    firm_id,
    firm_code,
    year,
    match_method,
    case
        when customs_n > 1 and enterprises_n > 1 then 'several_of_both'
        when customs_n > 1 then 'several_customs_firms'
        when enterprises_n > 1 then 'several_enterprises'
    end as match_problem
from kept
