/* idx_export_resilience (digital_export_resilience, eq. 2, whose print lost the hats), v = exports of all firms of the
   city, c = their counterfactual v(t-1) R_t:
       resilience = ((v_t - v_2008) - (c_t - v_2008)) / |c_t - v_2008|
   and other readings of it: rate, c = v(t-1) (R_t - 1); both hats, ((v_t - v_2008) - (c_t - c_2008)) / |c_t - c_2008|.
   And two alternatives of the paper: the deviation v_t / v_2008 - 1, 2011-2015, and the same formula with the weighted
   counterfactual of int_digital_export_resilience__export_growth. The third, 1 / HHI, is in idx_market_diversity.
   export_scope: of customs, or of the yearbook where there are no customs records. DECISIONS 33, 34, 56, 60. */
select
    city_code,
    year,
    export_scope,
    ((whole_city_export_value_usd - export_value_2008_usd) - (counterfactual_export_usd - export_value_2008_usd))
    / nullif(abs(counterfactual_distance_usd), 0) as export_resilience_index,
    (whole_city_export_value_usd - rate_counterfactual_export_usd)
    / nullif(abs(rate_counterfactual_export_usd - export_value_2008_usd), 0) as rate_export_resilience_index,
    ((whole_city_export_value_usd - export_value_2008_usd) - (counterfactual_export_usd - counterfactual_2008_usd))
    / nullif(abs(counterfactual_export_usd - counterfactual_2008_usd), 0) as both_hats_export_resilience_index,
    case
        when year between 2011 and 2015 then (whole_city_export_value_usd - export_value_2008_usd) / nullif(export_value_2008_usd, 0)
    end as export_deviation_2008_ratio,
    (whole_city_export_value_usd - weighted_counterfactual_export_usd)
    / nullif(abs(weighted_counterfactual_distance_usd), 0) as weighted_export_resilience_index
from {{ ref('int_digital_export_resilience__export_growth') }}
where year >= 2009
