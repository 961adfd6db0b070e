/* idx_virtual_agglomeration (virtual_agglomeration_quality):
       virtual_agglomeration_index        100 * sum_s output_share_sc(2004) * virtual_coefficient_st     (eq. 22, per cent)
       virtual_agglomeration_input_index  ln( sum_s output_share_sc(2004) * virtual input of s in t, million USD ); null unless positive
       virtual_agglomeration_text_index   ln( 1 + words on virtual agglomeration in the work report of t )
   Years without tables, or without the internet's part of trade, are null: nothing is carried. DECISIONS 23, 24, 25. */
select
    coalesce(w.city_code, t.city_code) as city_code,
    coalesce(w.year, t.year) as year,
    round(100 * w.virtual_coefficient, 12) as virtual_agglomeration_index,
    round({{ safe_ln('w.virtual_input_usd_million') }}, 12) as virtual_agglomeration_input_index,
    round({{ safe_ln('1 + t.words_n') }}, 12) as virtual_agglomeration_text_index,
    coalesce(w.is_interpolated, false) as is_interpolated
from {{ ref('int_virtual_agglomeration_quality__city_input') }} as w
full outer join {{ ref('int_virtual_agglomeration_quality__words') }} as t on w.city_code = t.city_code and w.year = t.year
