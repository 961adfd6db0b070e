"""One grammar: options are checked in one place, what cannot be meant is refused by name, and every
estimator has a door.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

import analysis.estimators as estimators
from analysis.estimators.core import names, registry
from analysis.estimators.core.hints import accepts, words
from analysis.estimators.core.options import (
    Covariance,
    checked,
    columns_of,
    covariance_of,
    level_of,
    row_mask,
)
from analysis.estimators.core.registry import (
    Regression,
    check_options,
    entry,
    estimate,
    register,
    registered,
)
from analysis.estimators.core.sample import Taking, read_sample

FAMILIES = (
    "linear",
    "iv",
    "gmm",
    "did",
    "matching",
    "measured",
    "placebo",
    "spatial",
    "system",
    "limited",
)
FOLDER = Path(estimators.__file__).parent


@pytest.fixture
def panel() -> pd.DataFrame:
    """30 cities, 6 years; errors go together within a city, so that clustering matters."""
    draw = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "city_code": np.repeat([f"{i:04d}" for i in range(30)], 6),
            "year": np.tile(range(2010, 2016), 30),
        }
    )
    frame["x"] = draw.normal(size=180) + np.repeat(draw.normal(size=30), 6)
    frame["y"] = (
        0.5 * frame["x"]
        + draw.normal(size=180)
        + np.repeat(draw.normal(size=30), 6)
        + frame["year"] % 10 * frame["x"] / 10
    )
    return frame


def families() -> list[ModuleType]:
    return [importlib.import_module(f"analysis.estimators.{name}") for name in FAMILIES]


def public_functions() -> list[tuple[str, str]]:
    return [
        (module.__name__.rsplit(".", 1)[1], name)
        for module in families()
        for name in module.__all__
        if inspect.isfunction(getattr(module, name))
    ]


@pytest.mark.parametrize(("family", "name"), public_functions())
def test_every_public_estimator_has_a_door(family: str, name: str) -> None:
    found = entry(name)
    assert found.family == family and found.function is getattr(estimators, name)
    described = " ".join((found.function.__doc__ or "").split())
    assert described.startswith(found.summary) and re.match(r"[A-Z0-9].{12,}[.:]$", found.summary)
    required = [option.name for option in found.options.values() if option.required]
    with pytest.raises(ValueError, match="has no option 'no_such_option'"):
        check_options(name, dict.fromkeys(required, "x") | {"no_such_option": 1})


def test_folders_are_the_families_and_nothing_else() -> None:
    assert {
        path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__"
    } == {"core", *FAMILIES}
    assert {entry.family for entry in registered().values()} == set(FAMILIES)


def test_a_constant_and_a_nearest_name_are_written_once() -> None:
    homes = {"CONSTANT": [], "get_close_matches": []}
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == "CONSTANT" for target in node.targets
            ):
                homes["CONSTANT"].append(path.name)
            if isinstance(node, ast.Attribute) and node.attr == "get_close_matches":
                homes["get_close_matches"].append(path.name)
    assert homes == {"CONSTANT": ["names.py"], "get_close_matches": ["names.py"]}
    assert (
        names.nearest("pooledd", ["pooled", "within"]) == "Nearest: pooled."
        and names.nearest("q", ["pooled", "within"]) == "There are pooled, within."
    )


def test_an_estimator_is_called_by_its_name(panel: pd.DataFrame) -> None:
    options = {
        "outcome": "y",
        "regressors": ["x"],
        "effects": ["city_code", "year"],
        "covariance": {"cluster": ["city_code"]},
    }
    by_name = estimate("fixed_effects", panel, options)
    direct = estimators.fixed_effects(panel, "y", ["x"], covariance={"cluster": ["city_code"]})
    pd.testing.assert_frame_equal(by_name.tidy(), direct.tidy(), check_exact=True)
    assert entry("fixed_effects").options["small"].choices == (
        "reghdfe_nested",
        "fixest_nested",
        "fixest_full",
        "linearmodels",
    )
    assert (
        not entry("fixed_effects").options["covariance"].required
        and entry("fixed_effects").takes == "frame"
    )


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("fixd_effects", {}, "there is no estimator 'fixd_effects'. Nearest: fixed_effects"),
        (
            "fixed_effects",
            {"outcome": "y", "regressors": ["x"], "clusters": ["city_code"]},
            "has no option 'clusters'",
        ),
        (
            "fixed_effects",
            {"outcome": "y", "regressors": ["x"], "small": "reghdfe"},
            "small = 'reghdfe' is not known. Nearest: reghdfe_nested",
        ),
        ("fixed_effects", {"regressors": ["x"]}, "fixed_effects needs outcome"),
        (
            "fixed_effects",
            {"outcome": "y", "regressors": ["x"], "covariance": "clustered"},
            "fixed_effects: covariance = 'clustered' is not known. There are iid, robust",
        ),
        (
            "panel_regression",
            {"outcome": "y", "regressors": ["x"], "period_dummies": "yes"},
            "panel_regression: period_dummies = 'yes' is not true or false",
        ),
        (
            "placebo",
            {"outcome": "y", "treatment": "x", "draws": 10.5},
            "placebo: draws = 10.5 is not a whole number",
        ),
        (
            "placebo",
            {"outcome": "y", "treatment": "x", "draws": True},
            "placebo: draws = True is not a whole number",
        ),
        (
            "fixed_effects",
            {"outcome": "y", "regressors": ["x", 3]},
            r"fixed_effects: regressors = \['x', 3\] is not a list of text",
        ),
    ],
)
def test_what_a_name_does_not_allow_is_refused(
    panel: pd.DataFrame, name: str, options: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        estimate(name, panel, options)


def test_every_default_is_what_its_option_may_be() -> None:
    for found in registered().values():
        for option in found.options.values():
            assert option.required or not option.refusal(option.default), (found.name, option)


@pytest.mark.parametrize(
    ("hint", "good", "bad", "said"),
    [
        (bool, [True, np.True_], [1, "yes", None], "true or false"),
        (int, [3, np.int64(3)], [3.0, True, "3"], "a whole number"),
        (float | None, [3, 0.5, np.float64(2), None], ["0.5", False], "a number"),
        (Sequence[str], [["a"], ("a",), pd.Index(["a"])], [[1], 3, {"a": 1}], "a list of text"),
        (tuple[float, float], [(0, 1), [0.5, 2]], [(0,), (0, "1")], "a list of number"),
        (Mapping[str, float], [{"a": 1}, {}], [{"a": "x"}, {1: 1}, ["a"]], "a mapping"),
        (Literal["a", 2], ["a", 2], ["b", 2.0, True], "'a' or 2"),
        (
            Literal["iid"] | Mapping[str, Any],
            ["iid", {"cluster": "x"}],
            ["x"],
            "'iid' or a mapping",
        ),
    ],
)
def test_a_value_is_what_a_hint_says(hint: Any, good: list, bad: list, said: str) -> None:
    assert [accepts(hint, value) for value in good] == [True] * len(good)
    assert [accepts(hint, value) for value in bad] == [False] * len(bad)
    assert words(hint) == said


def test_two_functions_cannot_share_a_door() -> None:
    def tobit() -> None:
        """Not the one."""

    with pytest.raises(
        ValueError, match="two estimators are called tobit: one in limited, one in linear"
    ):
        register("linear", tobit)
    assert registry.entry("tobit").family == "limited"


def test_a_regression_inside_another_analysis_names_its_columns() -> None:
    found = Regression(
        "fixed_effects",
        {
            "effects": ["city_code", "province#year"],
            "covariance": {"cluster": "region"},
            "weights": "w",
        },
    )
    assert found.columns == ["city_code", "province", "year", "w", "region"]
    assert (
        Regression("fixed_effects", {}).columns == ["city_code", "year"]
        and Regression("linear_regression", {}).columns == []
    )
    with pytest.raises(
        ValueError, match="takes frame|takes .* what is needed here takes an outcome and regressors"
    ):
        Regression("moran", {})


def test_covariance_says_what_it_was_given() -> None:
    assert covariance_of("iid") == Covariance("iid") and covariance_of(
        {"cluster": "city_code"}
    ) == Covariance("cluster", ("city_code",))
    assert (
        covariance_of({"cluster": ["a", "b"]}).clusters == ("a", "b")
        and covariance_of({"cluster": ["a", "b"]}).cluster is None
    )
    for option, message in (
        ("cluster", "covariance = 'cluster' is not known"),
        ("robst", "Nearest: robust"),
        ({"clusters": ["a"]}, "Nearest: cluster"),
        ({"cluster": []}, "one column or two different ones; given: \\[\\]"),
        ({"cluster": ["a", "a"]}, "given: \\['a', 'a'\\]"),
        ({}, "given: \\[\\]"),
        (True, "covariance = True is not known"),
    ):
        with pytest.raises(ValueError, match=message):
            covariance_of(option)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="clustered by one column; given"):
        covariance_of({"cluster": ["a", "b"]}, most=1)
    with pytest.raises(ValueError, match="this estimator has iid, cluster errors only"):
        covariance_of("robust", kinds=("iid", "cluster"))


def test_other_options_are_checked_where_they_are_read() -> None:
    assert checked("model", "within", Literal["pooled", "within"]) == "within"
    for value in ("withn", None, ["within"], True):
        with pytest.raises(ValueError, match="model = .* is not known"):
            checked("model", value, Literal["pooled", "within"])
    for given, message in (
        ("x", "a list of column names, such as \\['x'\\]"),
        (["constant"], "cannot be called 'constant'"),
        (["y"], "cannot hold the outcome"),
        ([], "at least one"),
    ):
        with pytest.raises(ValueError, match=message):
            columns_of("regressors", given, outcome="y")
    for level in (95, 0, 1, -0.5):
        with pytest.raises(ValueError, match="such as 0.95"):
            level_of(level)


def test_a_mask_says_which_rows_and_is_never_evaluated(panel: pd.DataFrame) -> None:
    late = panel["year"] > 2012
    frame = panel.assign(late=late, coded=late.astype(int), text="year > 2012")
    expected = read_sample(frame[late], ["y", "x"], ["city_code", "year"])
    for where in (late, late.to_numpy(), list(late), "late", "coded"):
        found = read_sample(frame, ["y", "x"], ["city_code", "year"], where=where)
        np.testing.assert_array_equal(found.columns, expected.columns)
        assert found.dropped == {"outside where": 90} and found.labels.equals(expected.labels)
        assert found.keep is not None and found.keep.sum() == 90
    assert row_mask(frame, None) is None
    for where, message in (
        ("year > 2012", "column 'year > 2012' is not in the frame"),
        ("text", "not booleans"),
        ("year", "not booleans"),
        (late.where(late).astype("boolean").mask(~late), "90 rows say neither yes nor no"),
        (late.head(5).to_numpy(), "a mask of 5 rows for a frame of 180 rows"),
        (late.set_axis(range(1, 181)), "has the index of the frame"),
    ):
        with pytest.raises(ValueError, match=message):
            row_mask(frame, where)


def test_a_sample_says_where_its_rows_come_from(panel: pd.DataFrame) -> None:
    mixed = panel.sample(frac=1, random_state=4).set_index(np.arange(1000, 1180))
    mixed.loc[1003, "x"] = np.nan
    sample = read_sample(
        mixed,
        ["y", "x"],
        ["city_code", "year"],
        how=Taking(levels=["city_code", "year"], sort_by=["year", "city_code"]),
    )
    by_year = mixed.dropna().sort_values(["year", "city_code"])
    np.testing.assert_array_equal(sample.columns, by_year[["y", "x"]])
    assert sample.order is not None and (sample.labels[sample.order] == by_year.index).all()
    np.testing.assert_array_equal(
        sample.in_frame_order(sample.column(0)), mixed.loc[sample.labels, "y"]
    )
    assert list(sample.levels["year"]) == list(range(2010, 2016)) and list(
        sample.levels["city_code"]
    ) == sorted(panel["city_code"].unique())


def test_rows_outside_the_mask_do_not_matter(panel: pd.DataFrame) -> None:
    late = panel["year"] > 2012
    spoiled = pd.concat(
        [panel.assign(late=late), panel[~late].assign(late=False, x=np.inf)], ignore_index=True
    )
    for name, options in (
        ("fixed_effects", {}),
        ("linear_regression", {}),
        ("panel_regression", {"model": "within"}),
    ):
        here = estimate(
            name, spoiled, {"outcome": "y", "regressors": ["x"], "where": "late", **options}
        )
        alone = estimate(name, panel[late], {"outcome": "y", "regressors": ["x"], **options})
        pd.testing.assert_frame_equal(here.tidy(), alone.tidy(), check_exact=True)
        assert (
            here.dropped["outside where"] == len(spoiled) - len(panel[late])
            and "(outside where)" in here.note()
        )


@pytest.mark.parametrize("model", ["pooled", "within", "random"])
def test_clusters_are_never_silently_ignored(panel: pd.DataFrame, model: str) -> None:
    plain = estimators.panel_regression(panel, "y", ["x"], model)  # type: ignore[arg-type]
    clustered = estimators.panel_regression(
        panel, "y", ["x"], model, covariance={"cluster": ["city_code"]}
    )  # type: ignore[arg-type]
    assert (
        clustered.standard_errors["x"] != plain.standard_errors["x"]
        and "clustered by city_code" in clustered.convention
    )
    with pytest.raises(TypeError, match="cluster"):
        estimators.panel_regression(panel, "y", ["x"], model, cluster="city_code")  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize(
    "name", [name for name, found in registered().items() if "covariance" in found.options]
)
def test_no_estimator_has_two_ways_to_say_clusters(name: str) -> None:
    # `covariates` are those of a propensity score, in the one estimator that has one as well.
    old = {"cluster", "robust", "convention", "exogenous", "covariates"} - (
        {"covariates"} if name == "psm_did" else set()
    )
    assert not old & set(entry(name).options)
