/* agglomeration_exports's sample: each city and year, 2003-2011, with every variable of tables 1-8 known.
   As they are, and standardised over this sample: z(x) = (x - mean) / sd, sd with n - 1; an interaction is the product of
   its two parts, each less its mean, and is then standardised too. is_within_*_deciles: not below the 10th and not above
   the 90th percentile of that outcome over the sample (table 8). Productivity by Olley-Pakes and Ackerberg-Caves-Frazer stands
   beside the default and decides no row. DECISIONS 15, 27, 28. */
{% set variables = agglomeration_exports_variables() %}
{% set interactions = agglomeration_exports_interactions() %}
with complete as (
    select *
    from {{ ref('int_agglomeration_exports__variable') }}
    where
        city_code is not null
        {% for name in variables %}
        and {{ name }} is not null
        {% endfor %}
),

means as (
    select
        {% for name in variables %}
        {{ exact_sum(name) }} / nullif(count(*), 0) as {{ name }},
        {% endfor %}
        percentile_cont(0.1) within group (order by export_value_usd::double) as export_low,
        percentile_cont(0.9) within group (order by export_value_usd::double) as export_high,
        percentile_cont(0.1) within group (order by hs6_n::double) as hs6_low,
        percentile_cont(0.9) within group (order by hs6_n::double) as hs6_high,
        percentile_cont(0.1) within group (order by destination_n::double) as destination_low,
        percentile_cont(0.9) within group (order by destination_n::double) as destination_high
    from complete
),

centred as (
    select
        c.city_code,
        {% for name in variables %}
        c.{{ name }} - m.{{ name }} as z_{{ name }},
        {% endfor %}
        {% for name, parts in interactions.items() %}
        (c.{{ parts[0] }} - m.{{ parts[0] }}) * (c.{{ parts[1] }} - m.{{ parts[1] }}) as z_{{ name }},
        {% endfor %}
        c.year
    from complete as c
    cross join means as m
),

spreads as (
    select
        {% for name in variables + interactions.keys() | list %}
        {{ exact_sum('z_' ~ name) }} / nullif(count(*), 0) as mean_{{ name }},
        sqrt(greatest(
            {{ exact_sum('z_' ~ name ~ ' * z_' ~ name) }}
            - {{ exact_sum('z_' ~ name) }} * {{ exact_sum('z_' ~ name) }} / nullif(count(*), 0), 0
        ) / nullif(count(*) - 1, 0)) as sd_{{ name }},
        {% endfor %}
        count(*) as rows_n
    from centred
)

select
    c.city_code,
    c.city_name_zh,
    c.year,
    c.export_value_usd,
    c.hs6_n,
    c.destination_n,
    {% for name in variables %}
    c.{{ name }},
    {% endfor %}
    c.growth_resilience_index,
    c.ln_productivity_op,
    c.ln_productivity_acf,
    {% for name in variables + interactions.keys() | list %}
    (z.z_{{ name }} - s.mean_{{ name }}) / nullif(s.sd_{{ name }}, 0) as z_{{ name }},
    {% endfor %}
    {% for name, column in {'export': 'export_value_usd', 'hs6': 'hs6_n', 'destination': 'destination_n'}.items() %}
    c.{{ column }}::double between m.{{ name }}_low and m.{{ name }}_high as is_within_{{ name }}_deciles,
    {% endfor %}
    c.region,
    c.region_group,
    c.size_group
from complete as c
inner join centred as z on c.city_code = z.city_code and c.year = z.year
cross join means as m
cross join spreads as s
order by c.city_code, c.year
