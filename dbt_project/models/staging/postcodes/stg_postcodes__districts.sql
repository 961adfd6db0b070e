select
    province_name,
    city_name,
    county_name,
    postcode,
    longitude,
    latitude,
    file_id,
    line
from {{ lake('postcodes__districts') }}
