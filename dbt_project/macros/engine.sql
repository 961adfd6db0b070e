{#- What one engine says otherwise than another lives here, and nowhere in a model. -#}

{#- A table of the lake: all Parquet files of the set that this build reads. -#}
{% macro lake(table) -%}
    {{ return(adapter.dispatch('lake', 'citytrade')(table)) }}
{%- endmacro %}

{% macro default__lake(table) -%}
    parquet.`{{ env_var('CITYTRADE_LAKE', '../data/lake/active') }}/{{ table }}`
{%- endmacro %}

{% macro duckdb__lake(table) -%}
    read_parquet('{{ env_var("CITYTRADE_LAKE", "../data/lake/active") }}/{{ table }}/*.parquet')
{%- endmacro %}

{#- Great-circle distance in km between two points in degrees, on a sphere of radius 6371.0088 km. -#}
{% macro great_circle_km(longitude_1, latitude_1, longitude_2, latitude_2) -%}
    2 * 6371.0088 * asin(sqrt(
        power(sin(radians({{ latitude_2 }} - {{ latitude_1 }}) / 2), 2)
        + cos(radians({{ latitude_1 }})) * cos(radians({{ latitude_2 }}))
        * power(sin(radians({{ longitude_2 }} - {{ longitude_1 }}) / 2), 2)
    ))
{%- endmacro %}

{#- A column `year` with each year from the first to the last. -#}
{% macro year_series() -%}
    {{ return(adapter.dispatch('year_series', 'citytrade')()) }}
{%- endmacro %}

{% macro default__year_series() -%}
    select explode(sequence({{ var('first_year') }}, {{ var('last_year') }})) as year
{%- endmacro %}

{% macro duckdb__year_series() -%}
    select unnest(range({{ var('first_year') }}, {{ var('last_year') }} + 1)) as year
{%- endmacro %}

{#- A sum of doubles that is the same to the last bit whatever the order of rows and the number of threads. -#}
{% macro exact_sum(expression) -%}
    sum(({{ expression }})::decimal(38, 15))::double
{%- endmacro %}
