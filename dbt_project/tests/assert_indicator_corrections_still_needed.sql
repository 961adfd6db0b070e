{{ config(severity='warn') }}
/* A correction of an indicator names the value that it expects in the publisher's file, and is applied where it stands
   there. A row here: the publisher has mended the value, and the correction should go. A file that lacks the row is
   as good, and so is one with another value altogether, where the right one is known: that is another file, such as
   a simulated one of the same edition. DECISIONS 48. */
select
    k.city_name,
    k.indicator,
    k.year,
    k.vintage,
    k.value_expected,
    i.value as value_found
from {{ ref('indicators') }} as k
inner join {{ ref('stg_yearbook__indicators') }} as i
    on
        k.city_name = i.city_name and k.indicator = i.indicator and k.year = i.year and k.vintage = i.vintage
        and i.scope <> 'district'
where
    abs(i.value - k.value_expected) > 1e-9 * abs(k.value_expected)
    and (k.value is null or abs(i.value - k.value) <= 0.01 * abs(k.value))
