/* Each customs firm by what a survey of enterprises may know it by: each name that it has borne, and each telephone with
   a postcode. DECISIONS 69. */
with stated as (
    select
        firm_code,
        firm_name,
        telephone,
        postcode
    from {{ ref('stg_customs__records') }}
    where firm_code is not null
    group by firm_code, firm_name, telephone, postcode
),

keyed as (
    select
        firm_code,
        'name' as match_method,
        {{ firm_name_key('firm_name') }} as match_key
    from stated
    union all
    select
        firm_code,
        'telephone' as match_method,
        {{ firm_contact_key('telephone', 'postcode') }} as match_key
    from stated
)

select distinct
    firm_code,
    match_method,
    match_key
from keyed
where match_key is not null
