/* A correction of an indicator names the value that it expects in the publisher's file. A row here: the publisher has
   mended the value, or dropped the row, and the correction should go. Quiet while the edition is not loaded. DECISIONS 48. */
select
    k.city_name,
    k.indicator,
    k.year,
    k.vintage,
    k.value_expected,
    i.value as value_found
from {{ ref('indicators') }} as k
left join {{ ref('stg_yearbook__indicators') }} as i
    on
        k.city_name = i.city_name and k.indicator = i.indicator and k.year = i.year and k.vintage = i.vintage
        and i.scope <> 'district'
where
    (i.value is null or abs(i.value - k.value_expected) > 1e-9 * abs(k.value_expected))
    and k.vintage in (select vintage from {{ ref('stg_yearbook__indicators') }})
