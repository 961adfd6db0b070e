/* A city's industrial output of 2004 by ISIC Rev. 4 division, and its share of the city's:
       output_share_sc = output_sc / sum_s output_sc   (virtual_agglomeration_quality, eq. 22). Industries without a division are in neither. DECISIONS 24. */
with sums as (
    select
        city_code,
        isic4_code,
        sum(output_cny::decimal(38, 2))::double as industrial_output_cny
    from {{ ref('int_census__located') }}
    where set_aside_reason is null
    group by city_code, isic4_code
)

select
    city_code,
    isic4_code,
    industrial_output_cny,
    industrial_output_cny
    / nullif((sum(industrial_output_cny::decimal(38, 2)) over (partition by city_code))::double, 0) as industrial_output_share
from sums
