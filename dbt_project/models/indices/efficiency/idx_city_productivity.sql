/* idx_city_productivity: mean over the city's firms of ln TFP, mean_i ln_tfp_ict; weighted: sum_i w_i ln_tfp_i / sum_i w_i,
   w employees or real output. A city-year without a firm that has ln TFP has no row. DECISIONS 27. */
{% set weights = {'': '1', '_employees_weighted': 'firm_employees_n', '_output_weighted': 'firm_output_cny_2000 / 1000000'} %}
select
    city_code,
    year,
    count(*)::integer as firms_n,
    {% for name, weight in weights.items() %}
    {{ exact_sum('ln_tfp * ' ~ weight) }} / nullif({{ exact_sum(weight) }}, 0) as ln_productivity{{ name }},
    {% endfor %}
    {{ exact_sum('ln_tfp_relative') }} / count(*) as ln_productivity_relative,
    {{ exact_sum('ln_tfp_op') }} / nullif(count(ln_tfp_op), 0) as ln_productivity_op,
    {{ exact_sum('ln_tfp_acf') }} / nullif(count(ln_tfp_acf), 0) as ln_productivity_acf,
    {{ exact_sum('case when is_district then ln_tfp end') }}
    / nullif(count(case when is_district then ln_tfp end), 0) as ln_productivity_districts,
    count(case when value_added_method = 'by_share' then 1 end)::double / count(*) as value_added_by_share_share
from {{ ref('int_firms__productivity') }}
where ln_tfp is not null
group by city_code, year
