/* Agglomeration of each city's industries by employment, s_ij and LQ_ij of int_agglomeration_resilience__industry:
       specialisation PSS = max_j LQ_ij            diversity PSD = sum_j s_ij ln(1 / s_ij), 0 ln 0 = 0
       Gini of the shares G = sum_k (2k - n - 1) s_(k) / n, shares in rising order; gini_diversity = 1 - G
   A city-year without all 19 industries has no row. DECISIONS 30. */
with ranked as (
    select
        city_code,
        year,
        industry_section_code,
        industry_share,
        location_quotient,
        is_interpolated,
        row_number() over (partition by city_code, year order by industry_share, industry_section_code) as place,
        count(*) over (partition by city_code, year) as industries_n,
        row_number() over (
            partition by city_code, year
            order by location_quotient is null, location_quotient desc, industry_section_code
        ) as strength
    from {{ ref('int_agglomeration_resilience__industry') }}
)

select
    r.city_code,
    r.year,
    max(r.location_quotient) as industry_specialisation_index,
    max(case when r.strength = 1 then r.industry_section_code end) as specialised_section_code,
    round({{ exact_sum('coalesce(-r.industry_share * ' ~ safe_ln('r.industry_share') ~ ', 0)') }}, 12) as industry_diversity_index,
    round(1 - {{ exact_sum('(2 * r.place - r.industries_n - 1) * r.industry_share / r.industries_n') }}, 12) as gini_diversity_index,
    bool_or(r.is_interpolated) as has_interpolated
from ranked as r
group by r.city_code, r.year
