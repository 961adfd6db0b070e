/* Each firm in each year that it trades: the postcode by which it is placed in a district or a county.
   The most frequent valid one of the year (ties: the smallest); where the year has none, that of the firm's
   nearest other year (ties: the earlier), flagged; null where the firm never gave one. DECISIONS 9.
   Firms get their numbers here, so that the fact table carries an integer instead of a code. A number follows from the
   code alone: a new firm moves no other's, and a year of the fact that nothing else reaches stays as it was. */
with given as (
    select
        firm_code,
        year,
        postcode,
        count(*) as records_n
    from {{ ref('stg_customs__records') }}
    where firm_code is not null
    group by firm_code, year, postcode
),

valid as (
    select
        firm_code,
        year,
        records_n,
        case when regexp_extract(postcode, '^[0-9]{6}$', 0) <> '' and postcode <> '000000' then postcode end as postcode
    from given
),

own as (  -- more records first, then the smaller postcode: one number says both, and is quicker than a sort
    select
        firm_code,
        year,
        max_by(postcode, records_n * 1000000 - postcode::int) filter (where postcode is not null) as postcode
    from valid
    group by firm_code, year
),

borrowed as (
    select
        gap.firm_code,
        gap.year,
        source.postcode,
        source.year as postcode_year,
        row_number() over (
            partition by gap.firm_code, gap.year
            order by abs(gap.year - source.year) nulls last, source.year nulls last
        ) as rank_n
    from own as gap
    inner join own as source
        on gap.firm_code = source.firm_code
    where gap.postcode is null and source.postcode is not null
)

select
    {{ number_of('o.firm_code') }} as firm_id,
    o.firm_code,
    o.year,
    coalesce(o.postcode, b.postcode) as postcode,
    case when o.postcode is not null then o.year else b.postcode_year end as postcode_year,
    o.postcode is null and b.postcode is not null as is_postcode_filled
from own as o
left join borrowed as b
    on o.firm_code = b.firm_code and o.year = b.year and b.rank_n = 1
