/* Location quotient of each industry in each city and year that has all 19:
       s_ij = x_ij / sum_j x_ij;   s_j = sum_i x_ij / sum_ij x_ij;   LQ_ij = s_ij / s_j
   x = employees of industry j in city i; "national" is the sum over these cities, so that LQ weighted by s_j and city size
   is one. An industry that nobody works in has no quotient. DECISIONS 30. */
with complete as (
    select
        city_code,
        year,
        {{ exact_sum('industry_employees_n') }} as city_n
    from {{ ref('int_agglomeration_resilience__employment') }}
    group by city_code, year
    having
        count(industry_employees_n) = (select count(*) from {{ ref('industries') }})
        and min(industry_employees_n) >= 0 and max(industry_employees_n) > 0
),

employed as (
    select
        e.city_code,
        e.year,
        e.industry_section_code,
        e.industry_employees_n,
        e.is_interpolated,
        e.industry_employees_n / c.city_n as industry_share
    from {{ ref('int_agglomeration_resilience__employment') }} as e
    inner join complete as c on e.city_code = c.city_code and e.year = c.year
),

national as (
    select
        year,
        industry_section_code,
        {{ exact_sum('industry_employees_n') }} as industry_n
    from employed
    group by year, industry_section_code
),

national_shares as (
    select
        year,
        industry_section_code,
        industry_n / (sum(industry_n::decimal(38, 15)) over (partition by year))::double as national_share
    from national
)

select
    e.city_code,
    e.year,
    e.industry_section_code,
    e.industry_employees_n,
    e.industry_share,
    n.national_share,
    e.industry_share / nullif(n.national_share, 0) as location_quotient,
    e.is_interpolated
from employed as e
inner join national_shares as n on e.year = n.year and e.industry_section_code = n.industry_section_code
