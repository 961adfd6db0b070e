{#- What one engine says otherwise than another lives here, and nowhere in a model. -#}

{#- A table of the lake: all Parquet files of the set that this build reads. -#}
{% macro lake(table) -%}
    {{ return(adapter.dispatch('lake', 'citytrade')(table)) }}
{%- endmacro %}

{% macro spark__lake(table) -%}
    parquet.`{{ env_var('CITYTRADE_LAKE', '../data/lake/active') }}/{{ table }}`
{%- endmacro %}

{% macro duckdb__lake(table) -%}
    read_parquet('{{ env_var("CITYTRADE_LAKE", "../data/lake/active") }}/{{ table }}/*.parquet')
{%- endmacro %}

{#- A column `year` with each year from the first to the last. -#}
{% macro year_series() -%}
    {{ return(adapter.dispatch('year_series', 'citytrade')()) }}
{%- endmacro %}

{% macro spark__year_series() -%}
    select explode(sequence({{ var('first_year') }}, {{ var('last_year') }})) as year
{%- endmacro %}

{% macro duckdb__year_series() -%}
    select unnest(range({{ var('first_year') }}, {{ var('last_year') }} + 1)) as year
{%- endmacro %}

{#- Every day between two, one a row. -#}
{% macro each_day(first, last) -%}
    {{ return(adapter.dispatch('each_day', 'citytrade')(first, last)) }}
{%- endmacro %}

{% macro spark__each_day(first, last) -%}
    explode(sequence({{ first }}, {{ last }}, interval 1 day))
{%- endmacro %}

{% macro duckdb__each_day(first, last) -%}
    unnest(generate_series({{ first }}, {{ last }}, interval 1 day))
{%- endmacro %}

{#- Of the known values of an expression in a group the one at a place, counted from 1 in rising order. -#}
{% macro nth_smallest(expression, place) -%}
    {{ return(adapter.dispatch('nth_smallest', 'citytrade')(expression, place)) }}
{%- endmacro %}

{% macro spark__nth_smallest(expression, place) -%}
    get(array_sort(collect_list({{ expression }})), ({{ place }}) - 1)
{%- endmacro %}

{% macro duckdb__nth_smallest(expression, place) -%}
    list_sort(list({{ expression }}) filter (where {{ expression }} is not null))[{{ place }}]
{%- endmacro %}

{#- A text's number: the first fifteen hex digits of its MD5, so that it is the same in every build, on either engine. Of ten
    million texts the chance that any two share one is 1 in 23,000: who numbers by it tests that numbers are unique. -#}
{% macro number_of(expression) -%}
    {{ return(adapter.dispatch('number_of', 'citytrade')(expression)) }}
{%- endmacro %}

{% macro spark__number_of(expression) -%}
    cast(conv(left(md5({{ expression }}), 15), 16, 10) as bigint)
{%- endmacro %}

{% macro duckdb__number_of(expression) -%}
    ('0x' || left(md5({{ expression }}), 15))::bigint
{%- endmacro %}

{#- A schema is called what its folder says; panels stay in the default one, where any client finds them unqualified. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}

{#- The model that a relation was made by. -#}
{% macro node_of(relation) -%}
    {{ return(graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | selectattr('name', 'equalto', relation.identifier) | first) }}
{%- endmacro %}

{#- A table that another engine has built for this release is taken over from its Parquet, cast to the contract and sorted by
    the grain; every other one is built. CITYTRADE_TAKEN_OVER says which and where: {"<model>": "<files>"}. -#}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
    {%- set files = fromjson(env_var('CITYTRADE_TAKEN_OVER', '{}')).get(model.name) if language == 'sql' and not temporary else none -%}
    {{ return(dbt.duckdb__create_table_as(
        temporary, relation, duckdb__taken_over(files) if files else compiled_code, language, partitioned_by=partitioned_by, sorted_by=sorted_by
    )) }}
{%- endmacro %}

{% macro duckdb__taken_over(files) -%}
    select
        {% for column in model.columns.values() %}
        {{ column.name }}::{{ column.data_type }} as {{ column.name }}{{ ',' if not loop.last }}
        {% endfor %}
    from read_parquet('{{ files }}')
    {%- set grain = model.config.meta.get('grain', []) %}
    {{ 'order by ' ~ (grain | join(', ')) if grain }}
{%- endmacro %}

{#- Of a table that is stored by years Spark writes those that are not kept from another build. CITYTRADE_YEARS says which:
    {"<model>": [2015]}; a model that it does not name is written whole. -#}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- set years = fromjson(env_var('CITYTRADE_YEARS', '{}')).get(model.name) if language == 'sql' and not temporary else none -%}
    {{ return(dbt.spark__create_table_as(
        temporary, relation, compiled_code if years is none else spark__some_years(compiled_code, years), language
    )) }}
{%- endmacro %}

{% macro spark__some_years(compiled_code, years) -%}
    select * from ({{ compiled_code }}) as all_years
    where {{ 'year in (' ~ (years | join(', ')) ~ ')' if years else 'false' }}
{%- endmacro %}

{#- Spark stores a model by the values of the column that `meta: {stored_by: year}` names. -#}
{% macro spark__partition_cols(label, required=false) -%}
    {%- set column = config.get('meta', {}).get('stored_by') -%}
    {{ label ~ ' (' ~ column ~ ')' if column }}
{%- endmacro %}

{#- A seed's rows for Spark: dbt-spark puts texts between quotes as they are, so that Côte d'Ivoire ends its own. -#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model.config.column_types or {} -%}
    {%- for chunk in agate_table.rows | batch(get_batch_size()) -%}
        {%- set rows -%}
            {%- for row in chunk -%}
                (
                {%- for name in agate_table.column_names -%}
                    {%- set kind = types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
                    cast({{ spark_literal(row[loop.index0]) }} as {{ kind }}){{ ', ' if not loop.last }}
                {%- endfor -%}
                ){{ ',' if not loop.last }}
            {%- endfor -%}
        {%- endset -%}
        {%- do adapter.add_query('insert into ' ~ this.render() ~ ' values ' ~ rows, abridge_sql_log=True) -%}
    {%- endfor -%}
    {{ return('insert into ' ~ this.render()) }}
{%- endmacro %}

{% macro spark_literal(value) -%}
    {%- if value is none -%}null
    {%- else -%}'{{ value | string | replace('\\', '\\\\') | replace("'", "\\'") }}'
    {%- endif -%}
{%- endmacro %}
