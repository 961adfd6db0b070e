/* What could not be used in export quality and export structure: one row an index, indicator and problem. */
with lines as (
    select
        'export_quality' as index_name,
        case quality_problem
            when 'no_elasticity' then 'sigma'
            when 'elasticity_not_above_one' then 'sigma_less_one'
            when 'no_province_gdp' then 'province_gdp_cny_2000'
            when 'no_other_destination' then 'price_at_other_destinations'
            else 'ln_quality'
        end as indicator,
        case quality_problem
            when 'elasticity_not_above_one' then 'not_positive'
            when 'one_value' then 'all_equal'
            else 'all_missing'
        end as problem,
        count(*)::bigint as rows_n
    from {{ ref('int_virtual_agglomeration_quality__firm_product') }}
    where quality_problem is not null
    group by quality_problem
    union all
    select
        'export_quality_decomposition' as index_name,
        'continuing_n' as indicator,
        'too_few' as problem,
        count(*)::bigint as rows_n
    from {{ ref('int_virtual_agglomeration_quality__decomposition') }}
    where continuing_n = 0
    union all
    select
        'export_structure' as index_name,
        'export_diversification_index' as indicator,
        'zero_denominator' as problem,
        count(*)::bigint as rows_n
    from {{ ref('idx_export_structure') }}
    where export_diversification_index is null
    union all
    select
        'export_composition' as index_name,
        'trade_mode' as indicator,
        'all_missing' as problem,
        count(*)::bigint as rows_n
    from {{ ref('idx_export_composition') }}
    where ordinary_trade_share is null
    union all
    select
        'export_composition' as index_name,
        'end_use' as indicator,
        'all_missing' as problem,
        count(*)::bigint as rows_n
    from {{ ref('idx_export_composition') }}
    where intermediate_goods_share is null
)

select * from lines
where rows_n > 0
