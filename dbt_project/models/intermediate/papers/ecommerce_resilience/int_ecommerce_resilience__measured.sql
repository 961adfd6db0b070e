/* The variables of ecommerce_resilience as measured, 2012-2021: the 17 indicators of its table 1, its controls, the
   five indicators of its digital index (table 2) and its two other mediators. Per head of registered people, as
   yearbooks count them.
   Table 2 prints the same words for mobile and for fixed users; mobile users are taken for the first, as in the index
   of 赵涛, 张智 and 梁上坤 (2020) that it follows. DECISIONS 16, 37. */
select
    y.city_code,
    y.year,
    {% for name in ecommerce_resilience_indicators() + ['agglomeration', 'fdi_share', 'science_share', 'fdi_cny', 'digital_finance_index'] %}
    y.{{ name }},
    {% endfor %}
    100 * y.mobile_users_n / nullif(y.population_registered_n, 0) as mobile_users_per_100,
    100 * y.internet_users_n / nullif(y.population_registered_n, 0) as internet_users_per_100,
    y.telecom_revenue_cny / nullif(y.population_registered_n, 0) as telecom_revenue_per_head_cny,
    y.it_employees_n / nullif(y.employees_n, 0) as it_employment_share,
    y.tertiary_employees_n / nullif(y.employees_n, 0) as tertiary_employment_share,
    i.innovation_index
from {{ ref('city_year') }} as y
left join {{ ref('int_innovation__city_year') }} as i on y.city_code = i.city_code and y.year = i.year
where y.year between 2012 and 2021
