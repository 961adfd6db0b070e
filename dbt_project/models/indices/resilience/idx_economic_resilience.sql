/* idx_economic_resilience: sum_j w_j z_ijt over the 17 indicators of ecommerce_resilience's table 1 (entropy weights),
   with
       z = (x - min) / (max - min), or (max - x) / (max - min) for a negative indicator, over the whole sample
       p = z / sum(z);  e_j = -1 / ln(n) * sum(p ln p), 0 ln 0 = 0;  w_j = (1 - e_j) / sum_j (1 - e_j)
   Sample: cities with all indicators in every year 2012-2021. An indicator that no city has in every year, or that has one
   value, has no weight: int_ecommerce_resilience__problem names it, and indicators_n counts those that have one.
   DECISIONS 16, 39, 60. */
{{ economic_resilience('resilience_index') }}
