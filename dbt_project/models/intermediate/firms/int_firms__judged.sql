/* Each record of the enterprise survey with its firm, city and two-digit industry, and the reason why it cannot be used.
   firm_id: the firm's code, or its name and prefecture where it has none. Region: the prefecture of the code (GB/T 2260).
   Industry: the division of the classification in force, in terms of GB/T 4754-2002 (seeds/judgments/industry_*).
   The first reason that applies counts (Brandt, Van Biesebroeck and Zhang 2012, data appendix, as far as it goes). DECISIONS 27. */
with coded as (
    select
        e.*,
        upper(coalesce(e.firm_code, e.firm_name || left(e.region_code, 4))) as firm_id,
        {{ prefecture_of('e.region_code') }} as prefecture_code,
        try_cast(substr(e.region_code, 5, 2) as integer) between 1 and 20 as is_district,
        left(e.industry_code_published, 2) as division_code
    from {{ ref('stg_firms__enterprises') }} as e
),

prefectures as (
    select
        division_code,
        max(city_code) as city_code
    from {{ ref('city_names') }}
    where relation <> 'outside'
    group by division_code
),

placed as (
    select
        c.*,
        p.division_code is not null as is_known_place,
        p.city_code,
        d.industry_code,
        row_number() over (
            partition by c.firm_id, c.year order by c.firm_output_cny desc nulls last, c.file_id, c.line
        ) as place_among_twins
    from coded as c
    left join prefectures as p on c.prefecture_code = p.division_code
    left join {{ ref('industry_revisions') }} as r on c.year between r.first_year and r.last_year
    left join {{ ref('industry_divisions') }} as d on r.revision = d.revision and c.division_code = d.division_code
)

select
    file_id,
    line,
    firm_id,
    year,
    city_code,
    industry_code,
    is_district,
    case
        when firm_id is null then 'missing_firm'
        when place_among_twins > 1 then 'duplicate_firm'
        when is_known_place and city_code is null then 'outside_spine'
        when city_code is null then 'unknown_region'
        when industry_code is null then 'not_industry'
        when firm_employees_n is null then 'missing_employees'
        when firm_employees_n < 8 then 'too_few_employees'
        when firm_output_cny is null then 'missing_output'
        when firm_output_cny <= 0 then 'output_not_positive'
        when fixed_assets_net_cny is null then 'missing_fixed_assets'
        when fixed_assets_net_cny <= 0 then 'fixed_assets_not_positive'
        when firm_value_added_cny <= 0 then 'value_added_not_positive'
        when intermediate_input_cny <= 0 then 'inputs_not_positive'
        when export_delivery_cny < 0 then 'negative_exports'
        when fixed_assets_net_cny > fixed_assets_original_cny then 'net_above_original'
        when opening_year > year then 'opened_later'
    end as set_aside_reason
from placed
