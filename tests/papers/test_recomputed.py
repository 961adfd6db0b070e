"""A column of each estimator by another program, on the hand-made panel: the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analysis.papers import Release, read_paper
from analysis.report.recomputed import OTHERS, differences

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
mediator = "w"
controls = ["z"]
options = { estimator = "fixed_effects", options = { effects = ["city_code", "year"] } }
[[tables.t1.columns]]
estimator = "wild_bootstrap"
regressor = "x"
covariance = { cluster = ["region"] }
[[tables.t1.columns]]
estimator = "fixed_effects"
"""
FOUND = {
    "dynamic_gmm": {"w", "z"},
    "psm_did": {"treated", "x", "z"},
    "heckman": {"x"},
    "callaway_santanna": {"overall"},
    "imputation": {"overall"},
    "mediation": {"a", "b", "direct", "indirect"},
    "wild_bootstrap": {"x"},
    "fixed_effects": {"x", "z"},
}


def test_other_programs_give_the_same(demo: Release, write_paper: Callable[..., Path]) -> None:
    found = list(differences(read_paper(write_paper(TABLES)), demo))
    terms: dict[str, set[str]] = {}
    for one in found:
        terms.setdefault(one.estimator, set()).add(one.term)
        assert one.relative < 1e-7, one
    assert terms == FOUND and set(FOUND) <= set(OTHERS)


def test_a_difference_is_relative_to_theirs(
    demo: Release, write_paper: Callable[..., Path]
) -> None:
    """A table whose program gives another number shows it."""
    paper = read_paper(write_paper('[tables.t1]\ntitle = "T"\nrows = { X = "x" }\n'))
    [one, _] = differences(paper, demo)
    assert one.relative < 1e-12 and one.term == "x"
    changed = type(one)(**{**vars(one), "ours": one.theirs * 1.01})
    assert abs(changed.relative - 0.01) < 1e-12
