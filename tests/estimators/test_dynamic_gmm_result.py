"""Rows asked for in a dynamic panel, what its result says, and cautions for all that a reader must
know.
"""

from __future__ import annotations

import tomllib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.estimators import estimate, instrumental_variables
from analysis.estimators.core.result import Caution
from analysis.estimators.gmm import GMM, IV, dynamic_gmm
from tests.estimators.dynamic_gmm_cases import CALL, by_hand, same, world

SHORT = [GMM("L.y", lags=(1, 2), collapse=True), GMM("x", lags=(1, 2), collapse=True)]
STRONG: dict[str, Any] = {"gmm": SHORT, "iv": [IV("z"), IV("area", equation="level")]}


def cautions(
    frame: pd.DataFrame, regressors: Any = ("L.y", "x", "z"), **options: Any
) -> dict[str, Caution]:
    return {
        caution.kind: caution
        for caution in dynamic_gmm(frame, "y", regressors, **(STRONG | options)).warnings
    }


@pytest.mark.parametrize("weighting", [1, 3])
def test_rows_outside_the_mask_serve_lags_and_instruments_only(weighting: int) -> None:
    frame = world().assign(late=lambda f: f["year"] >= 2007)
    lags = [GMM("L.y", collapse=True), GMM("x", collapse=True)]
    for steps, expected in zip((1, 2), by_hand(frame, str(weighting), 2007), strict=True):
        result = dynamic_gmm(
            frame, "y", ["L.y", "x"], lags, steps=steps, weighting=weighting, where="late"
        )
        assert result.coefficients.tolist() == pytest.approx(expected.tolist(), rel=1e-8)
    assert result.first_period == 2007 and frame.loc[result.sample, "late"].all()
    assert (
        result.dropped["outside where"] == (~frame["late"]).sum()
        and "(outside where)" in result.note()
    )
    assert sum(result.dropped.values()) + result.n == len(frame)
    alone = dynamic_gmm(frame[frame["late"]], "y", ["L.y", "x"], lags, weighting=weighting)
    assert (
        alone.n
        == result.n
        - frame[frame["year"] == 2007]["city_code"]
        .isin(frame[frame["year"] == 2006]["city_code"])
        .sum()
    )


@pytest.mark.parametrize(
    "options", [{}, {"transform": "orthogonal"}, {"equations": "difference", "iv": IV("z")}]
)
def test_a_mask_of_whole_cities_is_the_panel_of_these_cities(options: dict[str, Any]) -> None:
    frame = world()
    inside = frame["city_code"] < "1140"
    call = CALL | {"regressors": ["L.y", "x", "z"]} | options
    masked, alone = (
        dynamic_gmm(frame, "y", where=inside, **call),
        dynamic_gmm(frame[inside], "y", **call),
    )
    pd.testing.assert_frame_equal(masked.tidy(), alone.tidy(), check_exact=True)
    assert masked.sample.equals(alone.sample)
    everything = dynamic_gmm(frame, "y", where=np.ones(len(frame), dtype=bool), **call)
    same(everything, dynamic_gmm(frame, "y", **call))
    assert "outside where" not in everything.dropped


def test_deviations_are_formed_from_all_years_before_the_mask() -> None:
    frame = world()
    early = frame["year"] <= 2008
    call = {
        "gmm": GMM("x", collapse=True),
        "iv": IV("z"),
        "equations": "difference",
        "transform": "orthogonal",
        "steps": 1,
    }
    masked = dynamic_gmm(frame, "y", ["x", "z"], where=early, **call)
    later = frame.groupby("city_code")["year"].transform("max") > frame["year"]
    assert (
        masked.n == (early & later).sum()
    )  # also of 2008: the years after it are outside, and in the mean
    assert set(masked.sample) == set(frame.index[early & later])


def test_a_table_of_a_paper_can_say_it() -> None:
    frame = world().assign(late=lambda f: f["year"] >= 2006)
    options = tomllib.loads("""
        outcome = "y"
        regressors = [{column = "y"}, "x", "z"]
        gmm = [
            {variables = "L.y", lags = [1, 2], collapse = true},
            {variables = "x", lags = "1 2", collapse = true},
        ]
        iv = [{variables = "z"}, {variables = "area", equation = "level"}]
        covariance = {cluster = ["city_code"]}
        small = "xtabond2"
        where = "late"
        steps = 2
    """)
    named = estimate("dynamic_gmm", frame, options)
    direct = dynamic_gmm(frame, "y", ["L.y", "x", "z"], **STRONG, small="xtabond2", where="late")
    same(named, direct)
    assert named.robust and named.df_t is not None and "clustered by city_code" in named.note()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"covariance": {"cluster": ["area"]}},
            "errors of dynamic GMM are clustered by city_code, which is 'robust'",
        ),
        ({"covariance": "windmeijer"}, "covariance = 'windmeijer' is not known"),
        ({"small": True}, "small = True is not known"),
        ({"where": "year"}, "not booleans"),
        ({"where": "early"}, "no row has the outcome and all regressors \\(outside where: "),
        ({"gmm": {"variables": "x", "lag": 2}}, "GMM has no field 'lag'. Nearest: lags"),
        ({"gmm": {"lags": 2}}, "GMM needs variables"),
        ({"iv": "z"}, "'z' is not an instrument"),
        (
            {"iv": {"variables": "z", "equation": "levels"}},
            "equation = 'levels' is not known. Nearest: level",
        ),
        ({"regressors": [{"columns": "y"}]}, "A mapping has column"),
        ({"regressors": [{"column": "y", "first": "1"}]}, "whole numbers of periods"),
        ({"gmm": {"variables": "x", "lags": 1.5}}, "lags = 1.5: they are a pair of whole numbers"),
        ({"gmm": {"variables": "x", "collapse": "false"}}, "collapse = 'false' is not known"),
        ({"constant": "no"}, "constant = 'no' is not known"),
        ({"ar_orders": "2"}, "ar_orders = '2': a whole number"),
        ({"equations": "systems"}, "equations = 'systems' is not known. Nearest: system"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], message: str) -> None:
    frame = world().assign(early=False)
    with pytest.raises(ValueError, match=message):
        dynamic_gmm(frame, "y", **({"regressors": ["L.y", "x", "z"]} | STRONG | options))


def test_glance_has_the_whole_and_the_table_the_terms() -> None:
    result = dynamic_gmm(world(), "y", ["L.y", "x", "z"], **CALL)
    row = result.glance().iloc[0]
    assert (row["nobs"], row["n_city_code"], row["instruments"]) == (
        result.n,
        59,
        result.instruments_n,
    )
    assert (
        row["hansen_statistic"] == result.tests["hansen"].statistic
        and row["ar2_p_value"] == result.tests["ar2"].p
    )
    assert not any("GMM(" in name for name in result.glance().columns) and any(
        "Difference-in-Hansen GMM(L1.y" in line for line in str(result).split("\n")
    )
    assert set(result.tidy()["equation"]) == {"y"}


def stacked_by_hand(frame: pd.DataFrame) -> pd.DataFrame:
    """First differences of y, L.y, x and z, and the lags of y and x that SHORT uses, missing ones
    zero, for difference GMM.
    """
    years = sorted(frame["year"].unique())
    wide = {
        name: frame.pivot(index="year", columns="city_code", values=name).reindex(years)
        for name in ("y", "x", "z")
    }
    parts = {
        "dy": wide["y"].diff(),
        "dly": wide["y"].shift().diff(),
        "dx": wide["x"].diff(),
        "dz": wide["z"].diff(),
    }
    lags = {
        "y2": wide["y"].shift(2),
        "y3": wide["y"].shift(3),
        "x1": wide["x"].shift(1),
        "x2": wide["x"].shift(2),
    }
    stacked = pd.DataFrame(
        {name: part.stack(future_stack=True) for name, part in (parts | lags).items()}
    ).reset_index()
    return stacked.dropna(subset=list(parts)).fillna(0.0)


def test_first_stage_strength_is_that_of_the_stacked_equations() -> None:
    frame = world()
    result = dynamic_gmm(frame, "y", ["L.y", "x", "z"], SHORT, IV("z"), equations="difference")
    stacked = stacked_by_hand(frame)
    assert len(stacked) == result.n
    plain = instrumental_variables(
        stacked, "dy", ["dly", "dx"], ["y2", "y3", "x1", "x2"], ["dz"], constant=False
    )
    assert result.first_stage.tolist() == pytest.approx(
        plain.first_stage.loc["sw_f"].tolist(), rel=1e-9
    )
    assert list(result.first_stage.index) == ["L1.y", "x"]  # z is an instrument of itself
    said = cautions(frame, equations="difference", iv=IV("z"))["weak_instruments"].sentence
    assert f"{result.first_stage['L1.y']:.2f} of L1.y, {result.first_stage['x']:.2f} of x" in said
    assert "weak_instruments" not in cautions(frame)


def test_a_regressor_that_no_instrument_covers_is_named() -> None:
    said = cautions(world(), gmm=SHORT[0])["uncovered"]
    assert (
        said.sentence.startswith("No instrument is made of x: ")
        and "and on area." in said.sentence
        and "in iv if it is strictly exogenous" in said.remedy
    )
    assert "uncovered" not in cautions(world())
    assert "uncovered" not in cautions(world(), gmm=SHORT[0], iv=[IV("z"), IV("L.x")])


def test_terms_left_out_are_said() -> None:
    said = cautions(world().assign(twice=lambda f: 2 * f["x"]), ["L.y", "x", "twice", "z"])
    assert said["omitted"].sentence == "twice was left out: it is a combination of terms before it."


def test_too_many_instruments_are_said_from_as_many_as_units_on() -> None:
    frame = world()
    gmm = [GMM("L.y"), GMM("x", lags=(1, 2))]
    result = dynamic_gmm(frame, "y", ["L.y", "x", "z"], gmm, IV("z"))
    few = sorted(frame["city_code"].unique())[
        : result.instruments_n + 1
    ]  # one of them is seen once and has no lag
    equal = dynamic_gmm(
        frame, "y", ["L.y", "x", "z"], gmm, IV("z"), where=frame["city_code"].isin(few)
    )
    assert equal.instruments_n == equal.groups["city_code"]
    said = {caution.kind: caution.sentence for caution in equal.warnings}
    assert "are as many as" in said["many_instruments"]
    more = dynamic_gmm(
        frame, "y", ["L.y", "x", "z"], gmm, IV("z"), where=frame["city_code"].isin(few[:25])
    )
    found = [caution.sentence for caution in more.warnings if caution.kind == "many_instruments"]
    assert (
        "outnumber 24 city_code" in found[0]
        and more.tests["hansen"].p >= 0.99
        and "too good to be a sign" in found[1]
    )
    assert "many_instruments" not in cautions(frame)
    one = dynamic_gmm(
        frame, "y", ["L.y", "x", "z"], gmm, IV("z"), steps=1, where=frame["city_code"].isin(few)
    )
    said_of_one = {caution.kind: caution.sentence for caution in one.warnings}
    assert "two-step" in said["many_instruments"]
    assert "weakens the Hansen test." in said_of_one["many_instruments"]


def test_few_units_and_tests_without_a_value_are_said() -> None:
    frame = world(units=20)
    assert "19 clusters (city_code) are few" in cautions(frame)["few_clusters"].sentence
    assert "few_clusters" not in cautions(
        frame, covariance="iid"
    ) and "few_clusters" not in cautions(world())
    two, one = (cautions(frame, steps=steps)["few_clusters"] for steps in (2, 1))
    assert "the second step" in str(two) and "one step" in str(two)
    assert "19 clusters" in str(one) and "step" not in str(one)
    said = cautions(world(), ar_orders=7)["no_statistic"].sentence
    assert "AR(7)" in said and "AR(2)" not in said
