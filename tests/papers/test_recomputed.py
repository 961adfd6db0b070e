"""A column of each estimator by another program, on the hand-made panel: the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.papers import Release, read_paper
from analysis.report.recomputed import OTHERS, differences
from tests.conftest import MakeRelease
from tests.papers.conftest import DEMO
from warehouse.settings.config import Config

TABLES = """
[tables.t1]
title = "T"
unit = "city_code"
time = "year"
rows = { X = "x" }
[[tables.t1.columns]]
estimator = "dynamic_gmm"
outcome = "outcome"
regressors = ["w", "z"]
gmm = [{ variables = "w", lags = [1, 2], collapse = true }]
iv = [{ variables = ["z"] }, { variables = "x", equation = "level" }]
where = "year > 2003"
[[tables.t1.columns]]
estimator = "psm_did"
treatment = "treated"
covariates = ["x", "z"]
[[tables.t1.columns]]
estimator = "heckman"
prepare = [{ indicator = "z > -0.1", as = "chosen" }, { formula = "x + outcome", as = "apart" }]
regressors = ["x"]
selection_regressors = ["x", "apart"]
selected = "chosen"
keys = ["city_code", "year"]
[[tables.t1.columns]]
estimator = "callaway_santanna"
cohort = "cohort"
missing_cohort = "never"
control = "notyettreated"
then = { estimator = "aggregate_effects", kind = "simple" }
[[tables.t1.columns]]
estimator = "imputation"
cohort = "cohort"
missing_cohort = "never"
controls = ["x"]
[[tables.t1.columns]]
estimator = "mediation"
treatment = "x"
mediator = "level"
controls = ["z"]
[tables.t1.columns.options]
estimator = "fixed_effects"
options = { effects = ["city_code", "year"], covariance = { cluster = ["city_code"] } }
[[tables.t1.columns]]
estimator = "wild_bootstrap"
regressor = "x"
covariance = { cluster = ["region"] }
[[tables.t1.columns]]
estimator = "fixed_effects"
covariance = { cluster = ["city_code"] }
[[tables.t1.columns]]
estimator = "linear_regression"
covariance = "robust"
[[tables.t1.columns]]
estimator = "instrumental_variables"
endogenous = ["w"]
instruments = ["z", "level"]
controls = ["x"]
effects = ["city_code", "year"]
covariance = { cluster = ["city_code"] }
[[tables.t1.columns]]
estimator = "panel_regression"
model = "within"
[[tables.t1.columns]]
estimator = "event_study"
cohort = "cohort"
missing_cohort = "never"
controls = ["x"]
first = -3
last = 4
[[tables.t1.columns]]
estimator = "sun_abraham"
cohort = "cohort"
missing_cohort = "never"
controls = ["x"]
[[tables.t1.columns]]
estimator = "spatial_three_stage"
where = "year == 2008"
weights = "contiguity"
prepare = [{ formula = "w * w", as = "other" }]
[tables.t1.columns.equations]
one = { outcome = "outcome", regressors = ["x", "z"] }
two = { outcome = "level", regressors = ["z", "other"] }
"""
# Neighbours in a ring of the hand-made cities.
RING = """;
create schema seeds; create schema intermediate;
create table seeds.cities as select distinct city_code from demo;
create table intermediate.int_spatial__contiguity as
    select lpad(c::varchar, 4, '0') as city_code, 1.0 as weight,
        lpad((1 + (c - 1 + d + 40) % 40)::varchar, 4, '0') as neighbour_code
    from range(1, 41) a(c), (values (-1), (1)) b(d)
"""
COUNTED = {"nobs"}
EXPLAINED = {"nobs", "r2", "r2_adjusted", "r2_within"}
STUDIED = {"<=-3", "-2", "0", "1", "2", "3", ">=4", "x"}
# By estimator: the terms of coefficients and errors, and what is compared beside them.
FOUND = {
    "dynamic_gmm": ({"w", "z", "constant"}, COUNTED | {"hansen_statistic"}),
    "psm_did": ({"treated", "x", "z"}, EXPLAINED),
    "heckman": (
        {"x", "constant", "apart", "inverse_mills_ratio"},
        COUNTED | {"selected", "log_likelihood"},
    ),
    "callaway_santanna": ({"overall"}, COUNTED),
    "imputation": ({"overall"}, COUNTED),
    "mediation": ({"a", "b", "direct", "total", "indirect"}, COUNTED),
    "wild_bootstrap": ({"x"}, COUNTED),
    "fixed_effects": ({"x", "z", "constant"}, EXPLAINED),
    "linear_regression": ({"x", "z", "constant"}, {"nobs", "r2", "r2_adjusted"}),
    "instrumental_variables": ({"w", "x", "z", "level"}, {"nobs", "r2"}),
    "panel_regression": ({"x", "z"}, {"nobs", "r2_within"}),
    "event_study": (STUDIED, EXPLAINED),
    "sun_abraham": ({"overall", *map(str, {*range(-5, 8)} - {-1}), "x"}, EXPLAINED),
    "spatial_three_stage": (
        {"outcome", "level", "w_outcome", "w_level", "x", "z", "other", "constant"},
        {"nobs", "r2_one", "r2_two"},
    ),
}


@pytest.fixture
def ring(tiny_config: Config, make_release: MakeRelease) -> Release:
    make_release(change=DEMO + RING)
    return Release(tiny_config)


def test_other_programs_give_the_same(ring: Release, write_paper: Callable[..., Path]) -> None:
    """Coefficients, standard errors, N and R2; the derivative that Windmeijer's errors need is
    taken numerically, and is the least exact of them.
    """
    found = list(differences(read_paper(write_paper(TABLES)), ring))
    terms: dict[str, dict[str, set[str]]] = {}
    for one in found:
        terms.setdefault(one.estimator, {}).setdefault(one.number, set()).add(one.term)
        assert one.relative < 1e-8, one
    for estimator, (own, fit) in FOUND.items():
        numbers = terms.pop(estimator)
        assert numbers.pop("coefficient") == numbers.pop("standard error") == own
        assert set(numbers) == fit
    assert not terms and set(FOUND) == set(OTHERS)


NOTHING_ELSE = [
    'estimator = "fixed_effects"\ncovariance = { cluster = ["city_code", "year"] }',
    'estimator = "fixed_effects"\ncovariance = { driscoll_kraay = "year" }',
    'estimator = "fixed_effects"\nweights = "level"',
    'estimator = "panel_regression"\nmodel = "random"',
    'estimator = "dynamic_gmm"\ngmm = [{ variables = "w", lags = [1, 2] }]\niv = []',
]


@pytest.mark.parametrize("column", NOTHING_ELSE)
def test_what_the_other_program_lacks_is_not_compared(
    demo: Release, write_paper: Callable[..., Path], column: str
) -> None:
    """An option that would be passed over is no comparison."""
    table = f'[tables.t1]\ntitle = "T"\n[[tables.t1.columns]]\n{column}\n'
    assert not list(differences(read_paper(write_paper(table)), demo))


def test_an_error_that_was_converted_says_so(
    demo: Release, write_paper: Callable[..., Path]
) -> None:
    """Where programs count parameters differently, by how much; coefficients need nothing."""
    errors = 'covariance = { cluster = ["city_code"] }\n'
    paper = read_paper(write_paper(f'[tables.t1]\ntitle = "T"\n{errors}'))
    found = list(differences(paper, demo))
    said = {one.number: one.converted for one in found}
    assert "times 0.953239" in said["standard error"] and "areg" in said["standard error"]
    assert said["coefficient"] == said["r2"] == ""


def test_a_difference_is_relative_to_theirs(
    demo: Release, write_paper: Callable[..., Path]
) -> None:
    """A table whose program gives another number shows it."""
    paper = read_paper(write_paper('[tables.t1]\ntitle = "T"\nrows = { X = "x" }\n'))
    one = next(differences(paper, demo))
    assert one.relative < 1e-12 and one.term == "x"
    changed = type(one)(**{**vars(one), "ours": one.theirs * 1.01})
    assert abs(changed.relative - 0.01) < 1e-12
