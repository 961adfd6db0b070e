/* Employees of each of the 19 industries of each city and year. A gap between two known years is filled on a straight
   line and flagged; ends are never extrapolated. An industry that is not known has no row: absent is not zero. DECISIONS 30. */
with printed as (
    select
        city_code,
        year,
        indicator,
        value,
        is_interpolated
    from {{ ref('int_city__indicator_vintages') }}
    where is_chosen and scope = 'city'
),

measured as (
    select
        c.city_code,
        y.year,
        i.industry_section_code,
        p.value,
        coalesce(p.is_interpolated, false) as is_interpolated
    from (select distinct city_code from printed) as c
    cross join {{ ref('int_time__year') }} as y
    cross join {{ ref('industries') }} as i
    left join printed as p on c.city_code = p.city_code and y.year = p.year and i.indicator = p.indicator
),

neighbours as (
    {{ with_known_neighbours('measured', ['city_code', 'industry_section_code']) }}
)

select
    city_code,
    year,
    industry_section_code,
    {{ on_a_straight_line() }} as industry_employees_n,
    is_interpolated or value is null as is_interpolated
from neighbours
where value is not null or (year_before is not null and year_after is not null)
