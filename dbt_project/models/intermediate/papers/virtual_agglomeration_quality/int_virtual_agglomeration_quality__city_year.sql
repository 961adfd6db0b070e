/* What virtual_agglomeration_quality says of a city in a year, for each city-year with a quality: virtual
   agglomeration and its instruments, the controls, market integration, co-agglomeration, what moved the city's
   quality, the structure of its exports, and where it lies.
   Virtual agglomeration by tables is that of 2005-2015, as the paper's sample of 624,577 out of 693,162 has it; by
   words it is of every year. Centres are cities above prefecture rank; Liaoning is east, Jilin and Heilongjiang are
   central. DECISIONS 22, 57. */
with city_years as (
    select distinct
        city_code,
        year
    from {{ ref('int_virtual_agglomeration_quality__city_hs4') }}
),

virtual as (
    select
        *,
        case when year between 2005 and 2015 then virtual_agglomeration_index end as table_index
    from {{ ref('idx_virtual_agglomeration') }}
)

select
    y.city_code,
    c.city_name_zh,
    c.province_code,
    c.region,
    c.tier <> 'other' as is_central_city,
    c.region = 'east' or c.province_code = '21' as is_east,
    c.region = 'central' or c.province_code in ('22', '23') as is_middle,
    c.region = 'west' as is_west,
    y.year,
    v.table_index as virtual_agglomeration_index,
    l.table_index as lagged_virtual_agglomeration_index,
    case when v.table_index is not null then v.virtual_agglomeration_input_index end as virtual_agglomeration_input_index,
    v.virtual_agglomeration_text_index,
    coalesce(v.is_interpolated, false) as is_virtual_agglomeration_interpolated,
    i.post_office_investment_instrument,
    i.telephone_investment_instrument,
    k.fdi_share,
    k.openness_share,
    k.other_fiscal_share,
    k.credit_share,
    k.science_gdp_share,
    k.students_share,
    k.ln_real_average_wage,
    k.ln_real_gdp_per_head,
    k.ln_real_gdp,
    k.fixed_investment_share,
    k.ln_road_area_per_head,
    m.market_segmentation_index,
    m.market_integration_index,
    m.own_pairs_market_segmentation_index,
    m.own_pairs_market_integration_index,
    {{ safe_ln('m.own_pairs_market_integration_index') }} as ln_own_pairs_market_integration,
    m.neighbour_market_segmentation_index,
    m.neighbour_market_integration_index,
    case when v.table_index is not null then a.co_agglomeration_index end as co_agglomeration_index,
    case when v.table_index is not null then a.co_agglomeration_change_index end as co_agglomeration_change_index,
    d.city_quality_index,
    d.quality_total,
    d.quality_within,
    d.quality_between,
    d.quality_entry,
    d.quality_exit,
    d.quality_gap,
    d.griliches_regev_within,
    d.griliches_regev_between,
    d.griliches_regev_entry,
    d.griliches_regev_exit,
    d.griliches_regev_gap,
    s.hs4_n,
    s.export_specialisation_index,
    s.common_n_export_specialisation_index,
    s.export_diversification_index,
    {{ safe_ln('s.common_n_export_specialisation_index') }} as ln_common_n_export_specialisation,
    {{ safe_ln('s.export_specialisation_index') }} as ln_export_specialisation,
    {{ safe_ln('s.export_diversification_index') }} as ln_export_diversification
from city_years as y
inner join {{ ref('cities') }} as c on y.city_code = c.city_code
left join virtual as v on y.city_code = v.city_code and y.year = v.year
left join virtual as l on y.city_code = l.city_code and y.year = l.year + 1
left join {{ ref('int_virtual_agglomeration_quality__instrument') }} as i on y.city_code = i.city_code and y.year = i.year
left join {{ ref('int_virtual_agglomeration_quality__controls') }} as k on y.city_code = k.city_code and y.year = k.year
left join {{ ref('idx_market_integration') }} as m on y.city_code = m.city_code and y.year = m.year
left join {{ ref('idx_co_agglomeration') }} as a on y.city_code = a.city_code and y.year = a.year
left join {{ ref('int_virtual_agglomeration_quality__decomposition') }} as d on y.city_code = d.city_code and y.year = d.year
left join {{ ref('idx_export_structure') }} as s on y.city_code = s.city_code and y.year = s.year
