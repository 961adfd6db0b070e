/* What each HS2002 product is for, by BEC: intermediate, or final (consumption and capital goods); null where its
   categories differ or one of them is neither (motor spirit, passenger cars, goods not elsewhere specified). DECISIONS 21. */
select
    b.hs6_code,
    case when min(u.end_use) = max(u.end_use) and count(*) = count(u.end_use) then min(u.end_use) end as end_use
from {{ ref('stg_concordance__bec') }} as b
left join {{ ref('bec_uses') }} as u on b.bec_code = u.bec_code
where b.revision = 2002
group by b.hs6_code
