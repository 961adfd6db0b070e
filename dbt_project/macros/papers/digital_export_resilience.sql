{#- The indicators of digital_export_resilience's digital economy index (table 1), all of them better when higher. -#}
{% macro digital_economy_indicators() -%}
    {{ return([
        'mobile_users_per_100', 'broadband_users_per_100', 'internet_patents_granted_n', 'science_share', 'it_employees_n',
        'telecom_revenue_per_head_cny', 'digital_finance_index'
    ]) }}
{%- endmacro %}

{#- Cities that digital_export_resilience leaves out for want of data do not shape the index of the others. A row counts
    with every indicator that any city has; one that none has carries no weight. -#}
{% macro digital_economy_sample() -%}
    {% set names = digital_economy_indicators() %}
    {% for name in names %}
    {{ 'union all' if not loop.first }}
    select
        i.city_code,
        i.year,
        '{{ name }}' as indicator,
        i.{{ name }}::double as value,
        1 as direction
    from {{ ref('int_digital_export_resilience__indicator') }} as i
    left join {{ ref('digital_exclusions') }} as e on i.city_code = e.city_code
    cross join (
        select
            {% for other in names %}
            count({{ other }}) as {{ other }}_n,
            {% endfor %}
            count(*) as rows_n
        from {{ ref('int_digital_export_resilience__indicator') }}
    ) as k
    where
        e.city_code is null
        and i.{{ name }} is not null
        {% for other in names if other != name %}
        and (i.{{ other }} is not null or k.{{ other }}_n = 0)
        {% endfor %}
    {% endfor %}
{%- endmacro %}
