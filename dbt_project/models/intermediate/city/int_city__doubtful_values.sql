/* Each value of an edition that cannot be true beside others, whose true value is not known for sure; the first that holds:
       other_year    the row of a city and year: its GDP is another year's in an edition ranked before (within 1e-4), and
                     no edition's of its own year (within 1 %). reference_value is what its own year has there
       off_its_sum   parts and total of one edition differ by more than 2 %, and this value alone, times a power of ten,
                     makes them agree within 0.5 % and brings it nearer to its edition's years around, where there are
                     some: industries and employees, sectors and GDP. reference_value is that
       power_of_ten  against the median m of the edition's values one and two years before and after (three at least, on
                     both sides, the largest below three times the smallest), log10(value / m) lies within 0.1 of a whole
                     number that is not 0. reference_value is m. Counts below 2,000 on both sides are left alone
       printed_alike the same for foreign investment and trade, which one project can move, where three editions print the
                     value within 1 % and none one near m: it is used, and the jump is real as far as anybody knows
   A corrected value is never doubted, so a correction by the printed value itself confirms it. DECISIONS 59. */
with editions as (
    select
        e.city_code,
        e.scope,
        e.indicator,
        e.year,
        e.vintage,
        e.value,
        e.is_corrected,
        v.priority
    from {{ ref('int_city__edition_values') }} as e
    inner join {{ ref('vintages') }} as v on e.vintage = v.vintage
    where e.value > 0 and not e.is_out_of_bounds
),

gdp as (
    select *
    from editions
    where indicator = 'gdp_cny' and scope = 'city'
),

compared as (
    select
        g.city_code,
        g.year,
        g.vintage,
        min(case when o.year = g.year then abs(g.value / o.value - 1) end) as own_difference,
        min(case when o.year <> g.year and o.priority < g.priority then abs(g.value / o.value - 1) end) as other_difference
    from gdp as g
    inner join gdp as o on g.city_code = o.city_code and g.vintage <> o.vintage
    group by g.city_code, g.year, g.vintage
),

other_year as (
    select
        e.city_code,
        e.scope,
        e.indicator,
        e.year,
        e.vintage,
        'other_year' as problem,
        1 as place,
        min_by(g.value, g.priority) filter (where g.value is not null) as reference_value
    from editions as e
    inner join compared as c on e.city_code = c.city_code and e.year = c.year and e.vintage = c.vintage
    left join editions as g
        on
            e.city_code = g.city_code and e.scope = g.scope and e.indicator = g.indicator and e.year = g.year
            and e.priority > g.priority
    where not e.is_corrected and c.own_difference > 0.01 and c.other_difference <= 1e-4
    group by e.city_code, e.scope, e.indicator, e.year, e.vintage
),

parts as (
    select
        'employees_n' as total_indicator,
        indicator,
        count(*) over () as parts_n
    from {{ ref('industries') }}
    {% for sector in ['primary', 'secondary', 'tertiary'] %}
    union all
    select
        'gdp_cny' as total_indicator,
        'gdp_{{ sector }}_cny' as indicator,
        3 as parts_n
    {% endfor %}
),

sums as (
    select
        e.city_code,
        e.scope,
        e.year,
        e.vintage,
        t.indicator as total_indicator,
        t.value as total_value,
        {{ exact_sum('e.value') }} as sum_value
    from editions as e
    inner join parts as p on e.indicator = p.indicator
    inner join editions as t
        on e.city_code = t.city_code and e.scope = t.scope and e.year = t.year and e.vintage = t.vintage and p.total_indicator = t.indicator
    group by e.city_code, e.scope, e.year, e.vintage, t.indicator, t.value
    having count(*) = max(p.parts_n) and abs({{ exact_sum('e.value') }} / t.value - 1) > 0.02
),

mended as (
    select
        e.city_code,
        e.scope,
        e.indicator,
        e.year,
        e.vintage,
        e.is_corrected,
        s.total_indicator,
        e.value * f.factor as reference_value
    from sums as s
    inner join editions as e on s.city_code = e.city_code and s.scope = e.scope and s.year = e.year and s.vintage = e.vintage
    inner join parts as p on e.indicator = p.indicator and s.total_indicator = p.total_indicator
    cross join ({{ powers_of_ten() }}) as f
    where abs(s.sum_value + e.value * (f.factor - 1) - s.total_value) <= 0.005 * s.total_value
    union all
    select
        s.city_code,
        s.scope,
        s.total_indicator as indicator,
        s.year,
        s.vintage,
        e.is_corrected,
        s.total_indicator,
        s.total_value * f.factor as reference_value
    from sums as s
    inner join editions as e
        on s.city_code = e.city_code and s.scope = e.scope and s.year = e.year and s.vintage = e.vintage and s.total_indicator = e.indicator
    cross join ({{ powers_of_ten() }}) as f
    where abs(s.total_value * f.factor - s.sum_value) <= 0.005 * s.sum_value
),

around as (
    select
        e.city_code,
        e.scope,
        e.indicator,
        e.year,
        e.vintage,
        e.value,
        percentile_cont(0.5) within group (order by o.value) as middle,
        count(*) as around_n,
        min(o.year) < e.year and max(o.year) > e.year as has_both_sides,
        max(o.value) / min(o.value) as spread
    from editions as e
    inner join editions as o
        on
            e.city_code = o.city_code and e.scope = o.scope and e.indicator = o.indicator and e.vintage = o.vintage
            and o.year between e.year - 2 and e.year + 2 and e.year <> o.year
    where not e.is_corrected
    group by e.city_code, e.scope, e.indicator, e.year, e.vintage, e.value
),

off_its_sum as (
    select
        city_code,
        scope,
        indicator,
        year,
        vintage,
        'off_its_sum' as problem,
        2 as place,
        reference_value
    from (
        select
            m.*,
            count(*) over (partition by m.city_code, m.scope, m.year, m.vintage, m.total_indicator) as ways_n
        from mended as m
        left join around as a
            on
                m.city_code = a.city_code and m.scope = a.scope and m.indicator = a.indicator and m.year = a.year
                and m.vintage = a.vintage
        where a.middle is null or abs(log10(m.reference_value / a.middle)) < abs(log10(a.value / a.middle))
    ) as ways
    where ways_n = 1 and not is_corrected
),

beside as (
    select
        a.*,
        count(o.vintage) filter (where abs(o.value / a.value - 1) <= 0.01) as alike_n,
        count(o.vintage) filter (where abs(log10(o.value / a.middle)) < 0.3) as otherwise_n
    from around as a
    left join editions as o
        on
            a.city_code = o.city_code and a.scope = o.scope and a.indicator = o.indicator and a.year = o.year
            and a.vintage <> o.vintage
    where
        a.around_n >= 3 and a.has_both_sides and a.spread < 3
        and round(log10(a.value / a.middle)) <> 0
        and abs(log10(a.value / a.middle) - round(log10(a.value / a.middle))) <= 0.1
        and (a.indicator not like '%!_n' escape '!' or greatest(a.value, a.middle) >= 2000)
    group by all
),

power_of_ten as (
    select
        city_code,
        scope,
        indicator,
        year,
        vintage,
        case
            when indicator in ('fdi_usd', 'exports_cny', 'imports_cny') and alike_n >= 2 and otherwise_n = 0
                then 'printed_alike'
            else 'power_of_ten'
        end as problem,
        3 as place,
        middle as reference_value
    from beside
),

found as (
    select * from other_year
    union all
    select * from off_its_sum
    union all
    select * from power_of_ten
)

select
    f.city_code,
    f.scope,
    f.indicator,
    f.year,
    f.vintage,
    e.value,
    f.problem,
    f.reference_value
from (
    select
        *,
        row_number() over (partition by city_code, scope, indicator, year, vintage order by place) as order_n
    from found
) as f
inner join editions as e
    on f.city_code = e.city_code and f.scope = e.scope and f.indicator = e.indicator and f.year = e.year and f.vintage = e.vintage
where f.order_n = 1
