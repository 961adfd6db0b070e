/* idx_export_structure: specialisation and diversification of a city's exports over HS2002 headings
   (virtual_agglomeration_quality, equations 25, 26):
       specialisation  = (1 / n_c) max_j (s_cj / s_j)
       diversification = 1 / sum_j |s_cj - s_j|
   s_cj = share of heading j in the city's exports, s_j = its share in those of all cities, n_c = headings that the city
   exports; or, beside it, the headings that anybody exports in the year. The second sum runs over all headings, also those
   that the city does not export (|0 - s_j|). Null where a city is all there is (zero denominator). DECISIONS 22, 57. */
with headings as (
    select
        city_id,
        (hs6_id - hs6_id % 100) as hs4_id,
        year,
        sum(value_cents)::double as value_cents
    from {{ ref('int_trade__exports') }}
    group by city_id, (hs6_id - hs6_id % 100), year
),

city_totals as (
    select
        city_id,
        year,
        {{ exact_sum('value_cents') }} as value_cents
    from headings
    group by city_id, year
),

heading_totals as (
    select
        hs4_id,
        year,
        {{ exact_sum('value_cents') }} as value_cents
    from headings
    group by hs4_id, year
),

totals as (
    select
        year,
        {{ exact_sum('value_cents') }} as value_cents,
        count(distinct hs4_id) as hs4_n
    from headings
    group by year
),

shares as (
    select
        h.city_id,
        h.year,
        t.hs4_n as common_hs4_n,
        h.value_cents / nullif(c.value_cents, 0) as city_share,
        j.value_cents / nullif(t.value_cents, 0) as national_share
    from headings as h
    inner join city_totals as c on h.city_id = c.city_id and h.year = c.year
    inner join heading_totals as j on h.hs4_id = j.hs4_id and h.year = j.year
    inner join totals as t on h.year = t.year
),

indices as (
    select
        city_id,
        year,
        count(*)::int as hs4_n,
        max(city_share / nullif(national_share, 0)) / count(*) as export_specialisation_index,
        max(city_share / nullif(national_share, 0)) / max(common_hs4_n) as common_n_export_specialisation_index,
        {{ exact_sum('abs(city_share - national_share)') }} + 1 - {{ exact_sum('national_share') }} as distance
    from shares
    group by city_id, year
)

select
    right('000' || city_id::string, 4) as city_code,
    year,
    hs4_n,
    export_specialisation_index,
    common_n_export_specialisation_index,
    case when distance > 1e-12 then 1 / distance end as export_diversification_index
from indices
