/* What is wrong with paper A's variables, if anything. */
{% set measured = city_exports_variables() | reject('equalto', 'development_zone_did') | list %}
{{ indicator_problems(
    'panel_agglomeration_exports',
    ref('int_city_exports__variable'),
    varying=measured,
    positive=['district_population_nonagricultural_n', 'district_registered_unemployed_n']
) }}
