/* What kept firms from an ln TFP: records whose logs do not exist, and industries too small or too alike to be estimated.
   Every other reason is counted in int_firms__reconciliation. */
select
    'idx_city_productivity' as index_name,
    set_aside_reason as indicator,
    'not_positive' as problem,
    count(*)::bigint as rows_n
from {{ ref('int_firms__judged') }}
where set_aside_reason like '%not_positive'
group by set_aside_reason
union all
select
    'idx_city_productivity' as index_name,
    'elasticities of industry ' || industry_code || ', ' || estimation_method as indicator,
    'too_few' as problem,
    rows_n::bigint as rows_n
from {{ ref('int_firms__elasticity') }}
where labour_elasticity is null
