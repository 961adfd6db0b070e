/* spatial_lag on four cities: A neighbours B (3/4) and C (1/4), B neighbours A and C alike, C neighbours B alone, D nobody.
   2001: B = 8, C = 4, so A's lag is 3/4 * 8 + 1/4 * 4 = 7. 2002: B is missing, so all of A's weight goes to C.
   2003: neither has a value. A city's own gap (B in 2002) does not take its lag away. */
with panel as (
    select
        t.city_code,
        t.year,
        t.x::double as x
    from (
        values
        ('A', 2001, 2), ('B', 2001, 8), ('C', 2001, 4), ('D', 2001, 5),
        ('A', 2002, 2), ('B', 2002, null), ('C', 2002, 6),
        ('A', 2003, 1), ('B', 2003, null)
    ) as t (city_code, year, x) -- noqa: AL05
),

links as (
    select
        t.city_code,
        t.neighbour_code,
        t.weight::double as weight
    from (
        values
        ('A', 'B', 0.75), ('A', 'C', 0.25), ('B', 'A', 0.5), ('B', 'C', 0.5), ('C', 'B', 1)
    ) as t (city_code, neighbour_code, weight) -- noqa: AL05
),

expected as (
    select
        t.city_code,
        t.year,
        t.w_x::double as w_x
    from (
        values
        ('A', 2001, 7), ('B', 2001, 3), ('C', 2001, 8), ('D', 2001, null),
        ('A', 2002, 6), ('B', 2002, 4), ('C', 2002, null),
        ('A', 2003, null), ('B', 2003, 1)
    ) as t (city_code, year, w_x) -- noqa: AL05
),

found as (
    {{ spatial_lag('panel', 'x', 'links') }}
)

select
    coalesce(e.city_code, f.city_code) as city_code,
    coalesce(e.year, f.year) as year,
    e.w_x as expected,
    f.w_x as found
from expected as e
full join found as f on e.city_code = f.city_code and e.year = f.year
where e.w_x is distinct from f.w_x or e.city_code is null or f.city_code is null
