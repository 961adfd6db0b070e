{{ config(materialized='view') }}

/* The records that panels count as a city's exports: those of firms in its districts, as in agglomeration_exports. No other
   model asks of a record whether its firm lies in a district. */
select
    year,
    city_id,
    hs6_id,
    destination_id,
    firm_id,
    value_cents,
    is_postcode_filled
from {{ ref('int_trade__exports') }}
where is_district
