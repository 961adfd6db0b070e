select
    city_name,
    post_offices_1984_n,
    telephones_1984_n,
    {{ within('population_density_1984', 0, 100000) }} as population_density_1984,
    has_railway_1933,
    {{ within('district_land_area_km2', 0, 400000) }} as district_land_area_km2,
    file_id,
    line
from {{ lake('history__cities') }}
