/* The variables of ecommerce_resilience as measured, 2012-2021: the 17 indicators of its table 1, its controls, the
   five indicators of its digital index (table 2) and its two other mediators. Per head of registered people, as
   yearbooks count them.
   Table 2 prints the same words for mobile and for fixed users; mobile users are taken for the first, as in the index
   of 赵涛, 张智 and 梁上坤 (2020) that it follows. Where these years have imports for fewer than half of the city-years with
   exports, openness is exports alone over GDP (openness_scope). DECISIONS 16, 37, 58, 60. */
{% set as_they_are = ecommerce_resilience_indicators() | reject('equalto', 'openness_share') | list
    + ['agglomeration', 'fdi_share', 'science_share', 'fdi_cny', 'digital_finance_index'] %}
with held as (
    select count(openness_share) > 0 and 2 * count(openness_share) >= count(exports_cny) as has_imports
    from {{ ref('city_year') }}
    where year between 2012 and 2021
)

select
    y.city_code,
    y.year,
    case when h.has_imports then y.openness_share else y.exports_cny / nullif(y.gdp_cny, 0) end as openness_share,
    case when h.has_imports then 'exports_and_imports' when y.exports_cny is not null then 'exports' end as openness_scope,
    {% for name in as_they_are %}
    y.{{ name }},
    {% endfor %}
    y.education_expenditure_cny / nullif(y.fiscal_expenditure_cny, 0) as education_share,
    100 * y.mobile_users_n / nullif(y.population_registered_n, 0) as mobile_users_per_100,
    100 * y.internet_users_n / nullif(y.population_registered_n, 0) as internet_users_per_100,
    y.telecom_revenue_cny / nullif(y.population_registered_n, 0) as telecom_revenue_per_head_cny,
    y.it_employees_n / nullif(y.employees_n, 0) as it_employment_share,
    y.tertiary_employees_n / nullif(y.employees_n, 0) as tertiary_employment_share,
    i.innovation_index
from {{ ref('city_year') }} as y
cross join held as h
left join {{ ref('int_innovation__city_year') }} as i on y.city_code = i.city_code and y.year = i.year
where y.year between 2012 and 2021
