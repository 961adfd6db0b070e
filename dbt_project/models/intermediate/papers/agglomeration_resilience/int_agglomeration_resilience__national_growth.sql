/* Growth of each industry's employees from the year before, in per cent, over the cities that have all 19 industries in
   both years, so that a city that enters the yearbooks is no growth. An industry that had nobody has no rate. DECISIONS 30. */
select
    a.year,
    a.industry_section_code,
    count(*)::integer as cities_n,
    {{ exact_sum('b.industry_employees_n') }} as employees_before_n,
    {{ exact_sum('a.industry_employees_n') }} as industry_employees_n,
    100 * ({{ exact_sum('a.industry_employees_n') }} / nullif({{ exact_sum('b.industry_employees_n') }}, 0) - 1) as national_growth_pct
from {{ ref('int_agglomeration_resilience__industry') }} as a
inner join {{ ref('int_agglomeration_resilience__industry') }} as b
    on a.city_code = b.city_code and a.industry_section_code = b.industry_section_code and a.year = b.year + 1
group by a.year, a.industry_section_code
