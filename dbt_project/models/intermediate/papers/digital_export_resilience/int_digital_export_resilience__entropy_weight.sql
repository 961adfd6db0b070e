/* The entropy weight of each indicator of the digital economy index, over the rows that have all of them. DECISIONS 35. */
with observed as (
    {{ digital_economy_sample() }}
),

{{ entropy_weights('observed') }}

select
    indicator,
    entropy,
    weight as entropy_weight
from weights
