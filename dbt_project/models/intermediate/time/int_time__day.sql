/* Each day of the years that panels hold. No panel reads it: dbt's semantic models need a spine of days. */
with ends as (
    select
        make_date(min(year), 1, 1) as first_day,
        make_date(max(year), 12, 31) as last_day
    from {{ ref('int_time__year') }}
),

days as (
    select {{ each_day('first_day', 'last_day') }} as calendar_day
    from ends
)

select calendar_day::date as calendar_date
from days
