select
    city_name,
    post_offices_1984_n,
    telephones_1984_n,
    population_density_1984,
    has_railway_1933,
    district_land_area_km2,
    file_id,
    line
from {{ lake('history__cities') }}
