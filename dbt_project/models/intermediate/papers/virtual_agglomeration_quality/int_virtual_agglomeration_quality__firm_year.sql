/* int_virtual_agglomeration_quality__firm_year: a firm's quality by year, over its products, destinations and cities
   of production, weighted by exports.
   quality = sum of value * index / sum of value, over cells with an index (virtual_agglomeration_quality, equation
   21). DECISIONS 21. */
select
    f.firm_code,
    q.year,
    {{ quality_columns() }}
from {{ ref('int_virtual_agglomeration_quality__firm_product') }} as q
inner join {{ ref('int_virtual_agglomeration_quality__product') }} as p on q.hs6_id = p.hs6_id
inner join {{ ref('int_trade__firm') }} as f on q.firm_id = f.firm_id
where q.quality_index is not null
group by f.firm_code, q.year
