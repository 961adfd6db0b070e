/* Cities of agglomeration_resilience's sample: all 19 industries in every year 2009-2020, and each control in at least
   half of these years.
   拉萨 (5401) and 海东 (6302) are left out, as the paper says. DECISIONS 31. */
with industries as (
    select
        city_code,
        count(distinct year) as years_n
    from {{ ref('int_agglomeration_resilience__industry') }}
    where year between 2009 and 2020
    group by city_code
),

controls as (
    select
        city_code,
        least(
            {% for name in agglomeration_resilience_controls() %}
            count({{ name }}){{ ',' if not loop.last }}
            {% endfor %}
        ) as years_n
    from {{ ref('int_agglomeration_resilience__variable') }}
    group by city_code
)

select
    i.city_code,
    c.years_n::integer as control_years_n
from industries as i
inner join controls as c on i.city_code = c.city_code
where i.years_n = 12 and c.years_n >= 6 and i.city_code not in ('5401', '6302')
