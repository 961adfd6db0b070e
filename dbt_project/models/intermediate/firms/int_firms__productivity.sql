/* ln TFP of each firm and year by three methods: ln value added - b_l ln employees - b_k ln capital, elasticities of the
   firm's two-digit industry (int_firms__elasticity). The default, ln_tfp, is Levinsohn and Petrin's; ln_tfp_relative is its
   difference from the mean of the industry over all years, which compares firms of different industries. DECISIONS 27. */
with measured as (
    select
        f.firm_id,
        f.city_code,
        f.industry_code,
        f.is_district,
        f.year,
        f.firm_employees_n,
        f.firm_output_cny_2000,
        {% for method in ['lp', 'op', 'acf'] %}
        f.ln_value_added - {{ method }}.labour_elasticity * f.ln_employees
        - {{ method }}.capital_elasticity * f.ln_capital as ln_tfp_{{ method }},
        {% endfor %}
        f.value_added_method
    from {{ ref('int_firms__enterprise') }} as f
    {% for method in ['lp', 'op', 'acf'] %}
    left join {{ ref('int_firms__elasticity') }} as {{ method }}
        on f.industry_code = {{ method }}.industry_code and {{ method }}.estimation_method = '{{ method }}'
    {% endfor %}
),

levels as (
    select
        industry_code,
        {{ exact_sum('ln_tfp_lp') }} / nullif(count(ln_tfp_lp), 0) as mean_ln_tfp
    from measured
    group by industry_code
)

select
    m.firm_id,
    m.city_code,
    m.industry_code,
    m.is_district,
    m.year,
    m.firm_employees_n,
    m.firm_output_cny_2000,
    m.value_added_method,
    m.ln_tfp_lp as ln_tfp,
    m.ln_tfp_op,
    m.ln_tfp_acf,
    m.ln_tfp_lp - l.mean_ln_tfp as ln_tfp_relative
from measured as m
inner join levels as l on m.industry_code = l.industry_code
