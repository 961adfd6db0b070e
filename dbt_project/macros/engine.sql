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

{#- A schema is called what its folder says; panels stay in the default one, where any client finds them unqualified. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}

{#- The model that a relation was made by. -#}
{% macro node_of(relation) -%}
    {{ return(graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | selectattr('name', 'equalto', relation.identifier) | first) }}
{%- endmacro %}
