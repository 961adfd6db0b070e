/* Each firm in each year that it trades: the postcode by which it is placed in a district or a county.
   The most frequent valid one of the year (ties: the smallest); where the year has none, that of the firm's
   nearest other year (ties: the earlier), flagged; null where the firm never gave one. DECISIONS 9. */
with given as (
    select
        firm_code,
        year,
        case when regexp_extract(postcode, '^[0-9]{6}$', 0) <> '' and postcode <> '000000' then postcode end as postcode,
        count(*) as records_n
    from {{ ref('stg_customs__records') }}
    where firm_code is not null
    group by all
),

best as (
    select
        firm_code,
        year,
        postcode,
        row_number() over (partition by firm_code, year order by postcode is null, records_n desc, postcode) as rank_n
    from given
),

own as (
    select
        firm_code,
        year,
        postcode
    from best
    where rank_n = 1
),

borrowed as (
    select
        gap.firm_code,
        gap.year,
        source.postcode,
        source.year as postcode_year,
        row_number() over (
            partition by gap.firm_code, gap.year
            order by abs(gap.year - source.year), source.year
        ) as rank_n
    from own as gap
    inner join own as source
        on gap.firm_code = source.firm_code
    where gap.postcode is null and source.postcode is not null
)

select
    o.firm_code,
    o.year,
    coalesce(o.postcode, b.postcode) as postcode,
    case when o.postcode is not null then o.year else b.postcode_year end as postcode_year,
    o.postcode is null and b.postcode is not null as is_postcode_filled
from own as o
left join borrowed as b
    on o.firm_code = b.firm_code and o.year = b.year and b.rank_n = 1
