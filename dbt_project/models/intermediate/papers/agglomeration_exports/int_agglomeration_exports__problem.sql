/* What is wrong with agglomeration_exports's variables, if anything; too_rare: no city has it in some year. DECISIONS 60. */
{% set measured = agglomeration_exports_variables() | reject('equalto', 'development_zone_did') | list %}
{{ indicator_problems(
    'panel_agglomeration_exports',
    ref('int_agglomeration_exports__variable'),
    varying=measured,
    positive=['district_population_nonagricultural_n', 'district_registered_unemployed_n']
) }}
union all
{{ rare_lines(
    'panel_agglomeration_exports', ref('int_agglomeration_exports__variable'), agglomeration_exports_variables(), 'year', '{low} = 0'
) }}
