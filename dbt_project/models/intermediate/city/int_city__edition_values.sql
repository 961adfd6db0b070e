/* Each indicator of each city and year in every edition (vintage) that prints it.
   One row counts for a city, year and edition: the city's own, under its present name before a former one, and of the
   whole city before one without a stated scope. 莱芜 is added to 济南 up to 2018 where the edition prints it apart and
   the indicator adds up. Names outside the spine stay out and are listed in int_city__left_out. Known errors of an
   edition: seeds/corrections/indicators.csv. Trade that an edition prints in dollars is in yuan here, at the year's mean
   exchange rate, as customs records are. Interpolated is what the edition says is, and, where it is known to fill
   gaps with straight lines without saying where (fills_gaps in seeds/judgments/vintages.csv), a value in the middle of
   its neighbours. DECISIONS 11, 12, 44, 48, 50, 61. */
with mended as (
    select
        i.city_name,
        i.scope,
        i.indicator,
        i.year,
        i.vintage,
        i.is_interpolated,
        i.file_id,
        i.line,
        case when k.city_name is null then i.value else k.value end as value,
        k.city_name is not null as is_corrected
    from {{ ref('stg_yearbook__indicators') }} as i
    left join {{ ref('indicators') }} as k
        on
            i.city_name = k.city_name and i.indicator = k.indicator and i.year = k.year and i.vintage = k.vintage
            and i.scope <> 'district' and abs(i.value - k.value_expected) <= 1e-9 * abs(k.value_expected)
),

corrected as (
    select
        m.city_name,
        m.scope,
        m.year,
        m.vintage,
        m.is_interpolated,
        m.is_corrected,
        m.file_id,
        m.line,
        m.indicator like 'printed%' as is_converted,
        case m.indicator
            when 'printed_exports_usd' then 'exports_cny'
            when 'printed_imports_usd' then 'imports_cny'
            else m.indicator
        end as indicator,
        case when m.indicator like 'printed%' then m.value * x.cny_per_usd else m.value end as value
    from mended as m
    left join {{ ref('stg_prices__exchange_rates') }} as x on m.year = x.year
),

placed as (
    select
        n.city_code,
        n.relation = 'merged' as is_merged,
        case when i.scope = 'district' then 'district' else 'city' end as scope,
        i.indicator,
        i.year,
        i.vintage,
        i.value,
        i.is_interpolated,
        i.is_corrected,
        row_number() over (
            partition by
                n.city_code, n.relation = 'merged', case when i.scope = 'district' then 'district' else 'city' end,
                i.indicator, i.year, i.vintage
            order by i.scope = 'unstated', i.is_converted, n.relation <> 'current', i.file_id, i.line
        ) as rank_n
    from corrected as i
    inner join {{ ref('int_geography__city_name') }} as n on i.city_name = n.city_name
    where
        n.city_code is not null
        and i.year between {{ [var('first_year'), 2000] | min }} and {{ var('last_year') }}  -- real GDP counts from 2000
        and (n.relation <> 'merged' or (i.year <= n.last_year and {{ adds_up('i.indicator') }}))
),

whole as (
    select
        city_code,
        scope,
        indicator,
        year,
        vintage,
        max(case when not is_merged then value end) + coalesce(max(case when is_merged then value end), 0) as value,
        bool_or(is_interpolated) as is_interpolated,
        bool_or(is_corrected) as is_corrected
    from placed
    where rank_n = 1
    group by city_code, scope, indicator, year, vintage
),

neighbours as (
    select
        *,
        lag(value) over series as value_before,
        lead(value) over series as value_after,
        lag(year) over series as year_before,
        lead(year) over series as year_after
    from whole
    where value is not null
    window series as (partition by city_code, scope, indicator, vintage order by year)
)

select
    n.city_code,
    n.scope,
    n.indicator,
    n.year,
    n.vintage,
    n.value,
    n.is_interpolated or coalesce(
        v.fills_gaps and n.year_before = n.year - 1 and n.year_after = n.year + 1
        and abs(n.value - (n.value_before + n.value_after) / 2) <= 1e-6 * abs(n.value), false
    ) as is_interpolated,
    n.is_corrected,
    coalesce(n.value < d.minimum::double or n.value > d.maximum::double, false) as is_out_of_bounds
from neighbours as n
inner join {{ ref('vintages') }} as v on n.vintage = v.vintage
left join {{ ref('columns') }} as d on n.indicator = d.column_name
