/* The cities of ecommerce_resilience's sample: an index of resilience and every control in each of the ten years
   2012-2021, gaps filled, and FDI above zero, since its log is a control; a control that no city has in all ten years
   decides no city, and is null where it is not known. The paper leaves out cities with much
   missing data, most of 新疆 and 西藏 among them. is_large_city: residents of the municipal districts (the registered
   where residents are not printed) are a million or more on average over the ten years. is_central_city: municipality,
   provincial capital or sub-provincial city.
   is_resource_based: named by the State Council's plan of 2013 (int_city__groups). DECISIONS 16, 28, 37, 60. */
with whole as (
    select
        city_code,
        variable
    from {{ ref('int_ecommerce_resilience__variable') }}
    where
        variable in (
            'openness_share'{% for name in ecommerce_resilience_controls() %},
            '{{ name }}'{% endfor %}
        )
        and value is not null and (variable <> 'fdi_cny' or value > 0)
    group by city_code, variable
    having count(*) = 10
),

controlled as (
    select city_code
    from whole
    group by city_code
    having count(*) = (select count(distinct w.variable) from whole as w)
),

indexed as (
    select city_code
    from {{ ref('idx_economic_resilience') }}
    where resilience_index is not null
    group by city_code
    having count(*) = 10
),

sizes as (
    select
        city_code,
        {{ exact_mean('coalesce(district_population_resident_n, district_population_registered_n)') }} as district_population_mean
    from {{ ref('city_year') }}
    where year between 2012 and 2021
    group by city_code
)

select
    c.city_code,
    s.district_population_mean >= 1e6 as is_large_city,
    c.tier <> 'other' as is_central_city,
    g.is_resource_based
from controlled as k
inner join indexed as i on k.city_code = i.city_code
inner join {{ ref('cities') }} as c on k.city_code = c.city_code
left join sizes as s on k.city_code = s.city_code
left join {{ ref('int_city__groups') }} as g on k.city_code = g.city_code
