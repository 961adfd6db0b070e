/* No two firms have one number. Numbers follow from codes (number_of in macros/engine.sql), so that two may meet, though hardly
   ever: then let the macro take another hash. */
select
    firm_id,
    min(firm_code) as one_firm,
    max(firm_code) as another_firm,
    'two firms have one number: let number_of in macros/engine.sql take another hash' as what_to_do
from {{ ref('int_trade__firm') }}
group by firm_id
having count(*) > 1
