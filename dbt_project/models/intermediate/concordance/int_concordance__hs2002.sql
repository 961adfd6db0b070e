/* Each six-digit product of each HS revision with its HS2002 product.
   Later revisions follow UNSD's conversion tables (1:1, n:1, and 1:n to the one product that UNSD assigns).
   HS1996 is read backwards from the correlation 2002 -> 1996; where a product was split, it stays under the same
   code if that still exists, else it goes to the smallest. DECISIONS 10. */
with conversion as (
    select
        from_revision as revision,
        from_hs6_code as hs6_code,
        min(to_hs6_code) as hs2002_code,
        'conversion' as method
    from {{ ref('stg_concordance__hs') }}
    where kind = 'conversion' and to_revision = 2002 and from_revision > 2002
    group by from_revision, from_hs6_code
),

backwards as (
    select
        to_revision as revision,
        to_hs6_code as hs6_code,
        coalesce(max(case when from_hs6_code = to_hs6_code then from_hs6_code end), min(from_hs6_code)) as hs2002_code,
        case when count(distinct from_hs6_code) = 1 then 'correlation' else 'correlation_split' end as method
    from {{ ref('stg_concordance__hs') }}
    where kind = 'correlation' and from_revision = 2002 and to_revision = 1996
    group by to_revision, to_hs6_code
),

same as (
    select distinct
        2002::smallint as revision,
        case when from_revision = 2002 then from_hs6_code else to_hs6_code end as hs6_code,
        case when from_revision = 2002 then from_hs6_code else to_hs6_code end as hs2002_code,
        'same' as method
    from {{ ref('stg_concordance__hs') }}
    where 2002 in (from_revision, to_revision)
)

select * from conversion
union all
select * from backwards
union all
select * from same
