/* The macro problem_lines on three rows: every kind of problem once, and what is sound has no line. */
{% set observations %}
(
    values
    (1.5, null::double, 4.0, -1.0, 0.0, 7.0),
    (2.5, null, 4.0, 0.0, 2.0, null),
    (3.5, null, 4.0, 3.0, 0.0, null)
) as observations (sound, absent, constant, logged, divisor, single)
{% endset %}
with found as (
    {{ problem_lines([
        {
            'index_name': 'idx_test', 'relation': observations, 'varying': ['sound', 'absent', 'constant', 'single'],
            'positive': ['sound', 'logged', 'absent'], 'nonzero': ['divisor', 'sound']
        },
        {'index_name': 'idx_where', 'relation': observations, 'indicator': 'low', 'problem': 'too_few', 'where': 'sound < 3'},
        {'index_name': 'idx_where', 'relation': observations, 'indicator': 'high', 'problem': 'too_few', 'where': 'sound > 9'}
    ]) }}
),

expected as (
    select
        lines.index_name,
        lines.indicator,
        lines.problem,
        lines.rows_n
    from (
        values
        ('idx_test', 'absent', 'all_missing', 3),
        ('idx_test', 'constant', 'all_equal', 3),
        ('idx_test', 'divisor', 'zero_denominator', 2),
        ('idx_test', 'logged', 'not_positive', 2),
        ('idx_test', 'single', 'too_few', 1),
        ('idx_where', 'low', 'too_few', 2)
    ) as lines (index_name, indicator, problem, rows_n)
)

select
    coalesce(f.indicator, e.indicator) as indicator,
    f.problem as problem_found,
    e.problem as problem_expected
from found as f
full join expected as e
    on f.index_name = e.index_name and f.indicator = e.indicator and f.problem = e.problem and f.rows_n = e.rows_n
where f.indicator is null or e.indicator is null
