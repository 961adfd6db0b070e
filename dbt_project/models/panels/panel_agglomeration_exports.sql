/* agglomeration_exports's sample: each city and year, 2003-2011, with every variable of tables 1-8 known; one that no city
   has in a year is null there and decides no row of it, as long as an outcome is known (meta.problems names it).
   As they are, and standardised over this sample: z(x) = (x - mean) / sd, sd with n - 1; an interaction is the product of
   its two parts, each less its mean, and is then standardised too. A lagged outcome is that of the year before from
   city_year, 2002 and years outside the sample among them, by the outcome's own mean and sd; is_lagged_sample: it is known
   of every outcome of the row, the rows of an estimate with a lag. is_within_*_deciles: not below the 10th and not above the
   90th percentile of that outcome over these rows, as Stata has percentiles (table 8). Productivity by Olley-Pakes and
   Ackerberg-Caves-Frazer and whole-city readings stand beside the default and decide no row. export_scope says whether
   exports are customs' or the yearbook's. DECISIONS 15, 27, 28, 53, 54, 60. */
{% set variables = agglomeration_exports_variables() %}
{% set interactions = agglomeration_exports_interactions() %}
{% set outcomes = agglomeration_exports_outcomes() %}
{% set trimmed = {'export': 'exports_usd', 'hs6': 'hs6_n', 'destination': 'destination_n'} %}
with known as (
    select
        year,
        {% for name in variables %}
        count({{ name }}) as {{ name }}_n,
        {% endfor %}
        count(*) as rows_n
    from {{ ref('int_agglomeration_exports__variable') }}
    group by year
),

complete as (
    select v.*
    from {{ ref('int_agglomeration_exports__variable') }} as v
    inner join known as k on v.year = k.year
    where
        coalesce(v.{{ outcomes | join(', v.') }}) is not null
        {% for name in variables %}
        and (v.{{ name }} is not null or k.{{ name }}_n = 0)
        {% endfor %}
),

means as (
    select
        {% for name in variables %}
        {{ exact_mean(name) }} as {{ name }},
        {% endfor %}
        {% for name, column in trimmed.items() %}
        {{ stata_percentile(column ~ '::double', 10) }} as {{ name }}_low,
        {{ stata_percentile(column ~ '::double', 90) }} as {{ name }}_high,
        {% endfor %}
        count(*) as rows_n
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
        {{ exact_mean('z_' ~ name) }} as mean_{{ name }},
        sqrt(greatest(
            {{ exact_sum('z_' ~ name ~ ' * z_' ~ name) }}
            - {{ exact_sum('z_' ~ name) }} * {{ exact_sum('z_' ~ name) }} / nullif(count(z_{{ name }}), 0), 0
        ) / nullif(count(z_{{ name }}) - 1, 0)) as sd_{{ name }},
        {% endfor %}
        count(*) as rows_n
    from centred
)

select
    c.city_code,
    c.city_name_zh,
    c.year,
    c.export_scope,
    c.is_whole_city,
    c.export_value_usd,
    c.hs6_n,
    c.destination_n,
    {% for name in variables %}
    c.{{ name }},
    {% endfor %}
    {% for name in outcomes %}
    c.lagged_{{ name }},
    {% endfor %}
    c.growth_resilience_index,
    c.ln_productivity_op,
    c.ln_productivity_acf,
    {% for name in agglomeration_exports_whole_city() %}
    c.{{ name }},
    {% endfor %}
    c.whole_city_variables,
    {% for name in variables + interactions.keys() | list %}
    (z.z_{{ name }} - s.mean_{{ name }}) / nullif(s.sd_{{ name }}, 0) as z_{{ name }},
    {% endfor %}
    {% for name in outcomes %}
    (c.lagged_{{ name }} - m.{{ name }} - s.mean_{{ name }}) / nullif(s.sd_{{ name }}, 0) as z_lagged_{{ name }},
    {% endfor %}
    {% for name in outcomes %}
    {{ 'and ' if not loop.first }}(c.lagged_{{ name }} is not null or c.{{ name }} is null){{ ' as is_lagged_sample,' if loop.last }}
    {% endfor %}
    {% for name, column in trimmed.items() %}
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
