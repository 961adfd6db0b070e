/* Environmental damage of a city and year (agglomeration_resilience's Hsh): industrial SO2, wastewater and dust, each
   over its mean of all cities in the year, averaged:  H_it = 1/3 sum_j (e_ijt / mean_i e_ijt). 1 is the average city. DECISIONS 31. */
with relative as (
    select
        city_code,
        year,
        industrial_so2_t / nullif({{ exact_mean_over('industrial_so2_t', 'partition by year') }}, 0) as so2,
        industrial_wastewater_t / nullif({{ exact_mean_over('industrial_wastewater_t', 'partition by year') }}, 0) as wastewater,
        industrial_dust_t / nullif({{ exact_mean_over('industrial_dust_t', 'partition by year') }}, 0) as dust
    from {{ ref('city_year') }}
)

select
    city_code,
    year,
    (so2 + wastewater + dust) / 3 as pollution_damage_index
from relative
where so2 is not null and wastewater is not null and dust is not null
