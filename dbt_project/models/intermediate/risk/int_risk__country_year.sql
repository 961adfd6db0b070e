/* Each country's geopolitical risk in a year: the mean of its months' shares of articles, per cent. DECISIONS 33. */
with months as (
    select
        iso3_code,
        year,
        month,
        max(geopolitical_risk_pct) as geopolitical_risk_pct  -- a month in two exports of the index counts once
    from {{ ref('stg_risk__geopolitical') }}
    group by iso3_code, year, month
)

select
    iso3_code,
    year,
    {{ exact_sum('geopolitical_risk_pct') }} / count(*) as geopolitical_risk_pct,
    count(*)::smallint as months_n
from months
group by iso3_code, year
