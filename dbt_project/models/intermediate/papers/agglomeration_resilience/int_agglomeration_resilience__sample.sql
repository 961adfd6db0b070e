/* Cities of agglomeration_resilience's sample: all 19 industries in every year 2009-2020 that any city has them in, and
   each control in at least half of these years; a control that no city has so often decides no city (meta.problems names
   it). 拉萨 (5401) and 海东 (6302) are left out, as the paper says. DECISIONS 31, 60. */
with industries as (
    select
        city_code,
        count(distinct year) as years_n
    from {{ ref('int_agglomeration_resilience__industry') }}
    where year between 2009 and 2020
    group by city_code
),

years as (
    select count(distinct year) as years_n
    from {{ ref('int_agglomeration_resilience__industry') }}
    where year between 2009 and 2020
),

counted as (
    select
        city_code,
        {% for name in agglomeration_resilience_controls() %}
        count({{ name }}) as {{ name }}_n,
        {% endfor %}
        count(*) as rows_n
    from {{ ref('int_agglomeration_resilience__variable') }}
    where year in (select i.year from {{ ref('int_agglomeration_resilience__industry') }} as i)
    group by city_code
),

deciding as (
    select
        {% for name in agglomeration_resilience_controls() %}
        max(c.{{ name }}_n) * 2 >= max(y.years_n) as {{ name }},
        {% endfor %}
        count(*) as rows_n
    from counted as c
    cross join years as y
),

controls as (
    select
        c.city_code,
        least(
            y.years_n,
            {% for name in agglomeration_resilience_controls() %}
            case when d.{{ name }} then c.{{ name }}_n else y.years_n end{{ ',' if not loop.last }}
            {% endfor %}
        ) as years_n
    from counted as c
    cross join deciding as d
    cross join years as y
)

select
    i.city_code,
    c.years_n::integer as control_years_n
from industries as i
cross join years as y
inner join controls as c on i.city_code = c.city_code
where i.years_n = y.years_n and c.years_n * 2 >= y.years_n and i.city_code not in ('5401', '6302')
