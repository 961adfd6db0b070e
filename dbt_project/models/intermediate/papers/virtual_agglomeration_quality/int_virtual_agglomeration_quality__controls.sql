/* virtual_agglomeration_quality's control variables, and ln road area per head (table 8). Shares are of nominal GDP of
   the same year; wages and GDP are at prices of 2000 by the city's deflator. The definitions that fit the paper's
   means are in DECISIONS 24. */
with measured as (
    select
        i.*,
        r.cny_per_usd,
        p.gdp_deflator_2000 as deflator
    from {{ ref('int_city__indicators') }} as i
    left join {{ ref('int_prices__city_deflator') }} as p on i.city_code = p.city_code and i.year = p.year
    left join (
        select
            year,
            max(cny_per_usd) as cny_per_usd
        from {{ ref('stg_prices__exchange_rates') }}
        group by year
    ) as r on i.year = r.year
)

select
    city_code,
    year,
    fdi_usd * cny_per_usd / nullif(gdp_cny, 0) as fdi_share,
    (imports_cny + exports_cny) / nullif(gdp_cny, 0) as openness_share,
    (fiscal_expenditure_cny - science_expenditure_cny - education_expenditure_cny) / nullif(gdp_cny, 0) as other_fiscal_share,
    loans_cny / nullif(loans_cny + deposits_cny, 0) as credit_share,
    science_expenditure_cny / nullif(gdp_cny, 0) as science_gdp_share,
    (science_expenditure_cny + education_expenditure_cny) / nullif(gdp_cny, 0) as science_education_gdp_share,
    university_students_n / nullif(population_registered_n, 0) as students_share,
    {{ safe_ln('average_wage_cny / nullif(deflator, 0)') }} as ln_real_average_wage,
    {{ safe_ln('gdp_cny / nullif(deflator, 0)') }} as ln_real_gdp,
    {{ safe_ln('gdp_cny / nullif(deflator, 0) / nullif(population_registered_n, 0)') }} as ln_real_gdp_per_head,
    fixed_investment_cny / nullif(gdp_cny, 0) as fixed_investment_share,
    {{ safe_ln('road_area_per_head_m2') }} as ln_road_area_per_head
from measured
