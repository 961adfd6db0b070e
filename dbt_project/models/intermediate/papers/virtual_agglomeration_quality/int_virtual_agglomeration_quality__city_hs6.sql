/* int_virtual_agglomeration_quality__city_hs6: a city's quality by HS2002 product and year, weighted by exports.
   quality = sum of value * index / sum of value, over cells with an index (virtual_agglomeration_quality, equation
   21). DECISIONS 21. */
select
    right('000' || q.city_id::string, 4) as city_code,
    p.hs6_code,
    q.year,
    {{ quality_columns() }},
    count(distinct q.firm_id)::int as exporters_n
from {{ ref('int_virtual_agglomeration_quality__firm_product') }} as q
inner join {{ ref('int_virtual_agglomeration_quality__product') }} as p on q.hs6_id = p.hs6_id
where q.quality_index is not null
group by q.city_id, p.hs6_code, q.year
