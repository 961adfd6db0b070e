/* Each firm and year that can be used, in logs and at prices of 2000 (the city's GDP deflator).
   Value added: as published; else output - intermediate input + value-added tax; else output times the industry's share of
   value added in output in the latest year, not after this one, that has any. Capital: net fixed assets as printed.
   Investment of t: K(t+1) - (1 - 0.09) K(t), so it works from t + 1 on; null where the firm has no row in t + 1 or the
   difference is not positive. DECISIONS 27. */
with used as (
    select
        j.firm_id,
        j.year,
        j.city_code,
        j.industry_code,
        j.is_district,
        e.firm_employees_n,
        e.firm_output_cny,
        e.intermediate_input_cny,
        e.fixed_assets_net_cny,
        nullif(greatest(p.gdp_deflator_2000, 0), 0) as price,
        nullif(greatest(coalesce(e.firm_value_added_cny, e.firm_output_cny - e.intermediate_input_cny + e.value_added_tax_cny), 0), 0) as value_added_cny,
        e.firm_value_added_cny is not null as is_published
    from {{ ref('int_firms__judged') }} as j
    inner join {{ ref('stg_firms__enterprises') }} as e on j.file_id = e.file_id and j.line = e.line
    left join {{ ref('int_prices__city_deflator') }} as p on j.city_code = p.city_code and j.year = p.year
    where j.set_aside_reason is null
),

shares as (
    select
        industry_code,
        year as share_year,
        {{ exact_sum('value_added_cny / 1000000') }} / {{ exact_sum('firm_output_cny / 1000000') }} as value_added_share
    from used
    where value_added_cny is not null
    group by industry_code, year
),

industry_years as (
    select distinct
        industry_code,
        year
    from used
),

latest as (
    select
        y.industry_code,
        y.year,
        max_by(s.value_added_share, s.share_year) filter (where s.value_added_share is not null) as value_added_share
    from industry_years as y
    inner join shares as s on y.industry_code = s.industry_code and y.year >= s.share_year
    group by y.industry_code, y.year
),

measured as (
    select
        u.*,
        coalesce(u.value_added_cny, u.firm_output_cny * l.value_added_share) / u.price as real_value_added,
        u.fixed_assets_net_cny / u.price as real_capital,
        lead(u.year) over lives as next_year,
        lead(u.fixed_assets_net_cny / u.price) over lives as next_capital,
        case
            when u.value_added_cny is null and l.value_added_share is not null then 'by_share'
            when u.is_published then 'published'
            when u.value_added_cny is not null then 'computed'
        end as value_added_method
    from used as u
    left join latest as l on u.industry_code = l.industry_code and u.year = l.year
    window lives as (partition by u.firm_id order by u.year)
)

select
    firm_id,
    city_code,
    industry_code,
    is_district,
    year,
    firm_employees_n,
    firm_output_cny / price as firm_output_cny_2000,
    value_added_method,
    {{ safe_ln('real_value_added') }} as ln_value_added,
    {{ safe_ln('firm_employees_n') }} as ln_employees,
    {{ safe_ln('real_capital') }} as ln_capital,
    {{ safe_ln('intermediate_input_cny / price') }} as ln_intermediate_input,
    case
        when next_year = year + 1 and next_capital > 0.91 * real_capital then {{ safe_ln('next_capital - 0.91 * real_capital') }}
    end as ln_investment
from measured
where price is not null and real_value_added > 0
