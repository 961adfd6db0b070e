"""One result: tidy, glance, note, warnings and how they are shown, for every estimator of the
linear family.
"""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.estimators import Test, estimate, spatial_weights
from analysis.estimators.core.result import TIDY, Caution, Report, Result, tidy_frame

CITIES = [f"{i:04d}" for i in range(40)]
RING = spatial_weights(np.roll(np.eye(40), 1, axis=0) + np.roll(np.eye(40), -1, axis=0), CITIES)
NETS = {"one": ("y", ["x"]), "two": {"outcome": "m", "regressors": ["coast"]}}
CALLS = {
    "fixed_effects": {
        "outcome": "y",
        "regressors": ["x", "m"],
        "covariance": {"cluster": ["city_code"]},
    },
    "linear_regression": {"outcome": "y", "regressors": ["x", "m"], "covariance": "robust"},
    "panel_regression": {"outcome": "y", "regressors": ["x", "m"]},
    "compare_groups": {
        "outcome": "y",
        "regressors": ["x", "m"],
        "group": "coast",
        "permutations": 10,
    },
    "mediation": {"outcome": "y", "treatment": "x", "mediator": "m", "bootstrap": 20},
    "moderation": {"outcome": "y", "regressor": "x", "moderator": "m"},
    "quadratic": {
        "outcome": "y",
        "regressor": "x",
        "controls": ["m"],
        "estimator": "fixed_effects",
    },
    "hausman_random": {"outcome": "y", "regressors": ["x", "m"]},
    "effects_f_test": {"outcome": "y", "regressors": ["x", "m"]},
    "breusch_pagan": {"outcome": "y", "regressors": ["x", "m"]},
    "instrumental_variables": {"outcome": "y", "endogenous": ["x"], "instruments": ["m"]},
    "dynamic_gmm": {
        "outcome": "y",
        "regressors": ["L.y", "x"],
        "gmm": {"variables": "L.y", "collapse": True},
        "iv": {"variables": "x"},
    },
    "tobit": {"outcome": "y", "regressors": ["x", "m"], "covariance": {"cluster": ["city_code"]}},
    "heckman": {
        "outcome": "y",
        "regressors": ["x"],
        "selection_regressors": ["x", "m"],
        "selected": "seen",
    },
    "binary_choice": {"outcome": "coast", "regressors": ["x", "m"]},
    "equation_system": {
        "equations": {"one": {"outcome": "y", "regressors": ["x"]}, "two": ("m", ["x"])},
        "method": "SUR",
    },
    "spatial_three_stage": {"equations": NETS, "weights": RING, "time": "year"},
    "generalised_spatial_three_stage": {"equations": NETS, "weights": RING, "time": "year"},
    "moran": {"variable": "y", "weights": RING, "time": "year"},
    "residual_moran": {"outcome": "y", "regressors": ["x"], "weights": RING, "time": "year"},
    "spatial_dependence_tests": {
        "outcome": "y",
        "regressors": ["x"],
        "weights": RING,
        "time": "year",
    },
    "difference_in_differences": {
        "outcome": "y",
        "unit": "city_code",
        "time": "year",
        "cohort": "since",
        "controls": ["m"],
    },
    "event_study": {
        "outcome": "y",
        "unit": "city_code",
        "time": "year",
        "cohort": "since",
        "last": 1,
    },
    "treated_by_period": {
        "outcome": "y",
        "unit": "city_code",
        "time": "year",
        "group": "coast",
        "base": 2010,
    },
    "callaway_santanna": {"outcome": "y", "unit": "city_code", "time": "year", "cohort": "since"},
    "sun_abraham": {"outcome": "y", "unit": "city_code", "time": "year", "cohort": "since"},
    "imputation": {"outcome": "y", "unit": "city_code", "time": "year", "cohort": "since"},
    "bacon_decomposition": {"outcome": "y", "unit": "city_code", "time": "year", "cohort": "since"},
    "match": {"treatment": "coast", "covariates": ["x", "m"], "options": {"neighbours": 2}},
    "matching_att": {
        "outcome": "y",
        "treatment": "coast",
        "covariates": ["x"],
        "keys": ["city_code", "year"],
    },
    "placebo": {"outcome": "y", "treatment": "zone", "controls": ["m"], "draws": 9},
    "psm_did": {
        "outcome": "y",
        "treatment": "zone",
        "unit": "city_code",
        "time": "year",
        "covariates": ["x"],
    },
}


@pytest.fixture
def panel() -> pd.DataFrame:
    """40 cities, 6 years; a mediator between x and y, and a column name that a page must not take
    for markup.
    """
    draw = np.random.default_rng(11)
    frame = pd.DataFrame(
        {
            "city_code": np.repeat([f"{i:04d}" for i in range(40)], 6),
            "year": np.tile(range(2010, 2016), 40),
        }
    )
    frame["x"] = draw.normal(size=240) + np.repeat(draw.normal(size=40), 6)
    frame["m"] = 0.5 * frame["x"] + draw.normal(size=240)
    frame["y"] = (
        1 + 0.4 * frame["x"] + 0.3 * frame["m"] + 0.2 * frame["x"] ** 2 + draw.normal(size=240)
    )
    frame["seen"] = frame["m"] + np.sin(frame.index.to_numpy()) > 0
    since = frame["city_code"].astype(int).map(lambda city: (0, 2013, 2014, 0)[city % 4])
    zone = ((since > 0) & (frame["year"] >= since)).astype(int)
    return frame.assign(coast=(frame["city_code"] < "0020").astype(int), since=since, zone=zone)


@pytest.mark.parametrize(("name", "options"), CALLS.items())
def test_every_result_answers_the_same_questions(
    panel: pd.DataFrame, name: str, options: dict
) -> None:
    result = estimate(name, panel, options)
    table, row = result.tidy(), result.glance()
    assert (
        tuple(table.columns) == TIDY
        and len(table)
        and table["term"].map(type).eq(str).all()
        and not table["term"].isna().any()
    )
    assert len(row) == 1 and "method" in row.columns and row.columns.is_unique
    assert result.note().endswith(".") and isinstance(result.warnings, tuple)
    assert result.note() in result._repr_html_() or "&" in result._repr_html_()
    assert all(len(part) for part in (str(result), result._repr_html_()))
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.warnings = ()
    wide = result.tidy(level=0.99)
    known = (
        table["conf_low"].notna() & table["std_error"].notna() & (table["term"] != "turning point")
    )
    assert (wide["conf_low"][known] <= table["conf_low"][known]).all() and (
        wide["conf_high"][known] >= table["conf_high"][known]
    ).all()
    with pytest.raises(ValueError, match="level = 95"):
        result.tidy(level=95)


def test_the_table_is_the_estimate(panel: pd.DataFrame) -> None:
    result = estimate("fixed_effects", panel, CALLS["fixed_effects"])
    table = result.tidy().set_index("term")
    np.testing.assert_array_equal(table["estimate"], result.coefficients)
    np.testing.assert_array_equal(table["std_error"], np.sqrt(np.diag(result.covariance)))
    t = stats.t.ppf(0.975, 39)
    np.testing.assert_allclose(
        table["conf_high"], result.coefficients + t * result.standard_errors, rtol=1e-12
    )
    np.testing.assert_allclose(
        table["p_value"], 2 * stats.t.sf(np.abs(table["statistic"]), 39), rtol=1e-12
    )
    row = result.glance().iloc[0]
    assert (row["nobs"], row["n_city_code"], row["n_year"], row["df"], row["r2_within"]) == (
        240,
        40,
        6,
        39,
        result.r2_within,
    )
    assert set(table["equation"]) == {"y"}


def test_mediation_prints_its_paths(panel: pd.DataFrame) -> None:
    result = estimate("mediation", panel, CALLS["mediation"])
    table = result.tidy().set_index("term")
    assert list(table.index) == ["total", "direct", "indirect", "a", "b"]
    assert table.loc["a", "estimate"] == result.equations["mediator"].coefficients["x"]
    own = result.equations["direct"].tidy().set_index("term")
    for column in ("std_error", "p_value", "conf_low", "conf_high"):
        assert table.loc["b", column] == pytest.approx(own.loc["m", column], rel=1e-12)
    assert (
        table.loc["indirect", ["conf_low", "conf_high"]].tolist()
        == np.quantile(result.draws, [0.025, 0.975]).tolist()
    )
    assert result.glance()["sobel_statistic"].item() == result.tests["sobel"].statistic


def test_the_turning_point_keeps_fiellers_interval(panel: pd.DataFrame) -> None:
    result = estimate("quadratic", panel, CALLS["quadratic"])
    row = result.tidy().set_index("term").loc["turning point"]
    assert (row["conf_low"], row["conf_high"]) == result.fieller_interval and row[
        "estimate"
    ] == result.turning_point
    assert result.glance()["lind_mehlum_p_value"].item() == result.u_test.p


def test_few_clusters_are_warned_of(panel: pd.DataFrame) -> None:
    few = estimate(
        "fixed_effects",
        panel,
        CALLS["fixed_effects"] | {"covariance": {"cluster": ["year"]}, "effects": ["city_code"]},
    )
    assert (
        few.warnings[0].kind == "few_clusters"
        and few.warnings[0].remedy
        and "Warning: 6 clusters" in str(few)
        and "6 clusters" in few._repr_html_()
    )
    many = estimate("fixed_effects", panel, CALLS["fixed_effects"])
    assert many.warnings == ()


def test_left_out_regressors_are_warned_of(panel: pd.DataFrame) -> None:
    result = estimate(
        "fixed_effects",
        panel.assign(twice=2 * panel["x"]),
        CALLS["fixed_effects"] | {"regressors": ["x", "twice"], "collinear": "drop"},
    )
    assert result.warnings == (Caution("omitted", "twice was left out: a combination of x."),)


def test_names_of_columns_are_text_on_a_page(panel: pd.DataFrame) -> None:
    frame = panel.rename(columns={"x": "<script>alert(1)</script>", "year": "<b>year</b>"})
    result = estimate(
        "fixed_effects",
        frame,
        {
            "outcome": "y",
            "regressors": ["<script>alert(1)</script>"],
            "effects": ["city_code", "<b>year</b>"],
        },
    )
    page = result._repr_html_()
    assert "<script>" not in page and "<b>" not in page and "&lt;script&gt;" in page
    test = Test(
        "<i>name</i>", 1.0, 1, 0.3, null="<i>none</i>", warnings=(Caution("odd", "<i>beware</i>"),)
    )
    assert "<i>" not in test._repr_html_()


def test_a_table_takes_what_it_cannot_compute() -> None:
    given = tidy_frame(
        "e",
        ["a"],
        np.array([1.0]),
        np.array([np.nan]),
        tested=(np.array([3.0]), np.array([0.01])),
        interval=(np.array([0.0]), np.array([2.0])),
    )
    assert given.iloc[0].drop(["equation", "term", "std_error"]).tolist() == [
        1.0,
        3.0,
        0.01,
        0.0,
        2.0,
    ]
    with pytest.raises(TypeError):
        Report()  # type: ignore[abstract]


def test_a_variance_below_zero_gives_no_error_and_says_so() -> None:
    terms = ["a", "b"]
    made = Result(
        method="m",
        outcome="y",
        coefficients=pd.Series([1.0, 2.0], index=terms),
        covariance=pd.DataFrame([[4.0, 0.0], [0.0, -1.0]], index=terms, columns=terms),
        convention="two-way",
        df_t=None,
        n=10,
        groups={},
        dropped={},
        sample=pd.RangeIndex(10),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = made.tidy().set_index("term")
    assert table.loc["a", "std_error"] == 2 and table.loc["b"].isna().sum() == 5
    (caution,) = made.warnings
    assert caution.kind == "not_semidefinite" and "The variance of b is below zero" in str(made)
    told = dataclasses.replace(made, warnings=(Caution("not_semidefinite", "Said before."),))
    assert [warning.sentence for warning in told.warnings] == ["Said before."]
