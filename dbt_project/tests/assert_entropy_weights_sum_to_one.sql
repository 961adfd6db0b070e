/* Rows are indices whose entropy weights do not sum to one, or that have a weight or an entropy outside 0-1. DECISIONS 35. */
select
    sum(entropy_weight) as weights_sum,
    min(entropy_weight) as low,
    max(entropy) as high
from {{ ref('int_digital_export_resilience__entropy_weight') }}
having abs(sum(entropy_weight) - 1) > 1e-12 or min(entropy_weight) < 0 or max(entropy) > 1 + 1e-12 or min(entropy) < 0
