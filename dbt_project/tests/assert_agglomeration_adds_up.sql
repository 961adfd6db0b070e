/* Identities of agglomeration_resilience's indices. In each city and year the shares of the industries sum to one, and
   so do location quotients weighted by the national shares; in each year the counterfactual changes of all cities sum
   to their actual changes.
   Last, a resilience index is there exactly where the counterfactual is not zero. A sum that is missing is not equal. */
with shares as (
    select
        city_code,
        year,
        sum(industry_share) as shares,
        sum(location_quotient * national_share) as weighted_quotients
    from {{ ref('int_agglomeration_resilience__industry') }}
    group by city_code, year
),

changes as (
    select
        year,
        sum(employment_change_n) as actual_n,
        sum(counterfactual_change_n) as counterfactual_n,
        sum(abs(employment_change_n)) as size_n,
        count(*) filter (
            where employment_change_n is null
            or (employment_resilience_index is null) is distinct from (counterfactual_change_n = 0)
        ) as wrong_n
    from {{ ref('idx_employment_resilience') }}
    group by year
)

select
    'shares of the industries' as identity,
    city_code,
    year,
    shares as found,
    weighted_quotients as other
from shares
where not coalesce(abs(shares - 1) <= 1e-12 and abs(weighted_quotients - 1) <= 1e-12, false)
union all
select
    'counterfactuals of the cities' as identity,
    null as city_code,
    year,
    counterfactual_n as found,
    actual_n as other
from changes
where not coalesce(abs(counterfactual_n - actual_n) <= 1e-9 * size_n, false) or wrong_n > 0
