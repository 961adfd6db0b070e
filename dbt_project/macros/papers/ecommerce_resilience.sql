{#- The 17 indicators of ecommerce_resilience's table 1 (their signs: seeds/judgments/resilience_indicators.csv). -#}
{% macro ecommerce_resilience_indicators() -%}
    {{ return([
        'gdp_per_head_cny', 'urban_disposable_income_cny', 'household_savings_cny', 'unemployment_share', 'openness_share',
        'fiscal_self_sufficiency_share', 'retail_sales_cny', 'tertiary_share', 'loan_deposit_share', 'fixed_investment_cny',
        'hospital_beds_n', 'industrial_dust_t', 'patents_granted_n', 'science_expenditure_cny', 'education_expenditure_cny',
        'structure_ratio', 'urbanisation_share'
    ]) }}
{%- endmacro %}

{#- ecommerce_resilience's controls (section 3.2.4), openness_share apart, which table 1 counts among the indicators
    too. -#}
{% macro ecommerce_resilience_controls() -%}
    {{ return(['agglomeration', 'fdi_share', 'science_share', 'fdi_cny']) }}
{%- endmacro %}

{#- The five indicators of ecommerce_resilience's digital index (table 2). -#}
{% macro digital_level_indicators() -%}
    {{ return([
        'digital_finance_index', 'mobile_users_per_100', 'internet_users_per_100', 'telecom_revenue_per_head_cny', 'it_employment_share'
    ]) }}
{%- endmacro %}

{#- ecommerce_resilience's index under a name: sum_j w_j z_ijt over the 17 indicators with entropy weights, cities with all of
    them in every year 2012-2021.
    in_their_place  indicator of seeds/judgments/resilience_indicators.csv -> the variable that counts instead -#}
{% macro economic_resilience(name, in_their_place={}) -%}
    {%- set indicator = 'r.indicator' -%}
    {%- if in_their_place -%}
        {%- set cases = [] -%}
        {%- for old, new in in_their_place.items() -%}{%- do cases.append("when '" ~ old ~ "' then '" ~ new ~ "'") -%}{%- endfor -%}
        {%- set indicator = 'case r.indicator ' ~ cases | join(' ') ~ ' else r.indicator end' -%}
    {%- endif -%}
with measured as (
    select
        v.city_code,
        v.year,
        v.variable as indicator,
        v.value,
        v.is_interpolated,
        r.direction
    from {{ ref('int_ecommerce_resilience__variable') }} as v
    inner join {{ ref('resilience_indicators') }} as r
        on v.variable = {{ indicator }}
),

usable as (
    select distinct indicator
    from (
        select indicator
        from measured
        where value is not null
        group by city_code, indicator
        having count(*) = 10
    ) as whole
),

complete as (
    select m.city_code
    from measured as m
    inner join usable as u on m.indicator = u.indicator
    where m.value is not null
    group by m.city_code
    having count(*) = 10 * (select count(*) from usable)
),

observed as (
    select
        i.city_code,
        i.year,
        i.indicator,
        i.value,
        i.is_interpolated,
        i.direction
    from measured as i
    inner join complete as c on i.city_code = c.city_code
    inner join usable as u on i.indicator = u.indicator
    where i.value is not null
),

{{ entropy_weights('observed', keep=['is_interpolated']) }}

select
    s.city_code,
    s.year,
    {{ entropy_index() }} as {{ name }},
    count(w.weight)::integer as indicators_n,
    bool_or(s.is_interpolated) as has_interpolated
from scaled as s
inner join weights as w on s.indicator = w.indicator
group by s.city_code, s.year
{%- endmacro %}
