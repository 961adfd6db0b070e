/* Relative specialisation by output (agglomeration_resilience's second measure of specialisation): the largest, over
   the three sectors, of
       (sector's share in the city's value added) / (its share in that of all cities with the three sectors in the
       year).
   DECISIONS 30. */
{% set sectors = ['gdp_primary_cny', 'gdp_secondary_cny', 'gdp_tertiary_cny'] %}
with sectors as (
    select
        city_code,
        year,
        {% for sector in sectors %}
        {{ sector }},
        (sum({{ sector }}::decimal(38, 15)) over (partition by year))::double as all_{{ sector }},
        {% endfor %}
        gdp_primary_cny + gdp_secondary_cny + gdp_tertiary_cny as output_cny,
        (sum((gdp_primary_cny + gdp_secondary_cny + gdp_tertiary_cny)::decimal(38, 15)) over (partition by year))::double as all_output_cny
    from {{ ref('int_city__indicators') }}
    where gdp_primary_cny is not null and gdp_secondary_cny is not null and gdp_tertiary_cny is not null
)

select
    city_code,
    year,
    round(greatest(
        {% for sector in sectors %}
        {{ sector }} / nullif(output_cny, 0) / nullif(all_{{ sector }} / nullif(all_output_cny, 0), 0){{ ',' if not loop.last }}
        {% endfor %}
    ), 12) as output_specialisation_index
from sectors
