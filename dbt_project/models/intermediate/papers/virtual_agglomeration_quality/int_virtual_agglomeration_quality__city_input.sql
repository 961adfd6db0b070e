/* Digital services behind a city's industries (virtual_agglomeration_quality, eq. 22): shares of the city's output of
   2004 times what the industries of the nation use in t, per unit of output and in million USD. A year in which an
   industry of the city has no coefficient has no row. DECISIONS 23, 24. */
select
    c.city_code,
    k.year,
    {{ exact_sum('c.industrial_output_share * k.virtual_coefficient') }} as virtual_coefficient,
    {{ exact_sum('c.industrial_output_share * k.virtual_input_usd_million') }} as virtual_input_usd_million,
    bool_or(k.is_interpolated) as is_interpolated
from {{ ref('int_census__city_industry') }} as c
inner join {{ ref('int_virtual_agglomeration_quality__coefficient') }} as k on c.isic4_code = k.isic4_code
group by c.city_code, k.year
having count(k.virtual_coefficient) = count(*)
