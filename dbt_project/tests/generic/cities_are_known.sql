{#- Fails with the codes that are not of a city of the spine. -#}
{% test cities_are_known(model) %}
select distinct m.city_code
from {{ model }} as m
left join {{ ref('cities') }} as c on m.city_code = c.city_code
where c.city_code is null and m.city_code is not null
{% endtest %}
