/* Each enterprise of the survey by what customs may know it by: each name that it has borne, and each telephone with a
   postcode, in whichever year. DECISIONS 69. */
with stated as (
    select distinct
        j.firm_id,
        e.firm_name,
        e.telephone,
        e.postcode
    from {{ ref('int_firms__judged') }} as j
    inner join {{ ref('stg_firms__enterprises') }} as e on j.file_id = e.file_id and j.line = e.line
    where j.firm_id is not null
),

keyed as (
    select
        firm_id,
        'name' as match_method,
        {{ firm_name_key('firm_name') }} as match_key
    from stated
    union all
    select
        firm_id,
        'telephone' as match_method,
        {{ firm_contact_key('telephone', 'postcode') }} as match_key
    from stated
)

select distinct
    firm_id,
    match_method,
    match_key
from keyed
where match_key is not null
