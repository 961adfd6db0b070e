"""Dynamic panel GMM with input that could mislead: order and types, rows left out, gaps, collinear
terms, mistakes, units of measurement.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.gmm import GMM, IV, dynamic_gmm
from tests.estimators.dynamic_gmm_cases import CALL, same, world


def test_order_index_ids_and_other_columns_never_change_a_number() -> None:
    frame = world()
    before = frame.copy(deep=True)
    base = dynamic_gmm(frame, "y", ["L.y", "x", "z"], **CALL)
    pd.testing.assert_frame_equal(frame, before)
    shuffled = frame.sample(frac=1, random_state=1)
    same(base, dynamic_gmm(shuffled, "y", ["L.y", "x", "z"], **CALL))
    same(
        base,
        dynamic_gmm(
            shuffled.set_index(pd.Index([f"row {i}" for i in range(len(frame))])),
            "y",
            ["L.y", "x", "z"],
            **CALL,
        ),
    )
    same(
        base, dynamic_gmm(frame.assign(other="text", unused=np.nan), "y", ["L.y", "x", "z"], **CALL)
    )
    for ids in (
        frame["city_code"].astype(int),
        frame["city_code"].astype("category"),
        frame["city_code"]
        .astype("category")
        .cat.reorder_categories(sorted(frame["city_code"].unique(), reverse=True)),
    ):
        same(base, dynamic_gmm(frame.assign(city_code=ids), "y", ["L.y", "x", "z"], **CALL))
    same(
        base,
        dynamic_gmm(
            frame.assign(year=frame["year"].astype("float32")), "y", ["L.y", "x", "z"], **CALL
        ),
    )
    single = frame.astype(dict.fromkeys(("y", "x", "z", "area"), "float32"))
    same(
        dynamic_gmm(single, "y", ["L.y", "x", "z"], **CALL),
        dynamic_gmm(
            single.astype(dict.fromkeys(("y", "x", "z", "area"), "float64")),
            "y",
            ["L.y", "x", "z"],
            **CALL,
        ),
    )
    assert sorted(dynamic_gmm(shuffled, "y", ["L.y", "x", "z"], **CALL).sample) == sorted(
        base.sample
    )


def test_the_hash_seed_never_changes_a_number() -> None:
    code = (
        "from analysis.estimators.gmm import dynamic_gmm\n"
        "from tests.estimators.dynamic_gmm_cases import CALL, world\nr ="
        " dynamic_gmm(world(), 'y', ['L.y', 'x', 'z'], **CALL)\nprint([v.hex() for v in"
        " [*r.coefficients, *r.standard_errors, r.tests['hansen'].statistic]],"
        " list(r.difference_tests.index))"
    )
    environment = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[2])}
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=environment | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(printed) == 1


def test_rows_left_out_are_counted_by_reason_and_add_up() -> None:
    frame = world().reset_index(drop=True)
    frame.loc[frame.index[130], "x"] = np.nan
    frame.loc[frame.index[140], "z"] = np.inf
    frame.loc[frame.index[150], "city_code"] = None
    frame.loc[frame.index[160], "area"] = np.nan
    result = dynamic_gmm(frame, "y", ["L.y", "x", "z"], **CALL)
    assert sum(result.dropped.values()) + result.n == len(frame)
    assert {
        "city_code missing": 1,
        "z missing": 1,
        "x missing": 1,
    }.items() <= result.dropped.items()
    assert result.dropped["an IV-style instrument missing"] == 1
    assert len(result.sample) == len(result.residuals) == result.n
    kept = dynamic_gmm(
        frame,
        "y",
        ["L.y", "x", "z"],
        CALL["gmm"],
        [IV("z"), IV("area", equation="level", zero_missing=True)],
    )
    assert kept.n == result.n + 1


def test_a_gap_is_not_bridged_and_a_lone_city_counts_in_levels_only() -> None:
    frame = world()
    static = {"gmm": GMM("x"), "iv": IV("z"), "covariance": "robust"}
    system = dynamic_gmm(frame, "y", ["x", "z"], **static)
    difference = dynamic_gmm(frame, "y", ["x", "z"], equations="difference", **static)
    assert system.n == len(frame) and system.groups["city_code"] == 60
    assert difference.groups["city_code"] == 59
    years = frame.groupby("city_code")["year"].apply(lambda values: (values.diff() == 1).sum())
    assert difference.n == years.sum() == system.transformed_n
    deviations = dynamic_gmm(
        frame, "y", ["x", "z"], equations="difference", transform="orthogonal", **static
    )
    assert deviations.n == len(frame) - 60
    assert system.rows_per_unit[0] == 1


def test_regressors_that_cannot_be_estimated_are_dropped_and_named() -> None:
    frame = world().assign(one=1.0, double=lambda f: 2 * f["x"], noisy_area=lambda f: f["area"] * 3)
    for transform in ("difference", "orthogonal"):
        result = dynamic_gmm(
            frame,
            "y",
            ["L.y", "x", "double", "area", "one"],
            [GMM("L.y"), GMM("x")],
            IV("z"),
            equations="difference",
            transform=transform,
        )
        assert set(result.dropped_terms) == {"double", "area", "one"}
        assert (
            "combination" in result.dropped_terms["double"]
            and "takes it out" in result.dropped_terms["area"]
        )
        same(
            result,
            dynamic_gmm(
                frame,
                "y",
                ["L.y", "x"],
                [GMM("L.y"), GMM("x")],
                IV("z"),
                equations="difference",
                transform=transform,
            ),
        )
    level = dynamic_gmm(
        frame,
        "y",
        ["L.y", "x", "area", "one", "noisy_area"],
        [GMM("L.y"), GMM("x")],
        IV("area", equation="level"),
    )
    assert set(level.dropped_terms) == {"one", "noisy_area"}
    assert list(level.coefficients.index) == ["L1.y", "x", "area", "constant"]
    with pytest.raises(ValueError, match="no regressor is left"):
        dynamic_gmm(frame, "y", ["area"], GMM("L.y"), equations="difference")


def test_collinear_instruments_change_nothing_but_the_list() -> None:
    frame = world().assign(z2=lambda f: f["z"] / 3)
    base = dynamic_gmm(frame, "y", ["L.y", "x", "z"], GMM("L.y"), IV("z"), equations="difference")
    for inverse in ("drop", "moore_penrose"):
        more = dynamic_gmm(
            frame,
            "y",
            ["L.y", "x", "z"],
            GMM("L.y"),
            IV("z z2"),
            equations="difference",
            inverse=inverse,
        )
        same(base, more, rel=1e-8)
        assert more.instruments_n == base.instruments_n and (~more.instruments["used"]).sum() == 1
        assert more.tests["hansen"].df == base.tests["hansen"].df


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"frame": world().pipe(lambda f: pd.concat([f, f.iloc[[3]]]))},
            "city_code 1103, year 2004",
        ),
        ({"regressors": ["L.yy"]}, "column 'yy' is not in the frame"),
        ({"regressors": ["L(a).y"]}, "'a' is not a lag"),
        ({"regressors": ["y"]}, "among the regressors"),
        ({"regressors": ["__import__('os').x"]}, "cannot read"),
        (
            {"frame": world().assign(year=lambda f: f["year"].astype(str))},
            "whole numbers such as years",
        ),
        ({"frame": world().assign(x="text")}, "not numbers"),
        ({"gmm": GMM("L.y", equation="level"), "equations": "difference"}, "no level equation"),
        ({"gmm": GMM("L.y", passthrough=True)}, "passthrough"),
        ({"gmm": GMM("L.y", lags="soon")}, "cannot be read"),
        ({"gmm": GMM("L.y", lags=(30, 40))}, "fits in 8 periods"),
        ({"gmm": (), "iv": IV("z"), "equations": "difference"}, "cannot identify 3 regressors"),
        ({"gmm": (), "iv": ()}, "no instruments"),
        ({"regressors": ["L9.y"]}, "no row has the outcome"),
        ({"ar_equation": "level", "equations": "difference"}, "level residuals"),
        ({"weighting": 4}, "weighting = 4 is not known"),
        ({"time_effects": "undifferenced"}, "difference GMM"),
        ({"time_step": 2}, "not spaced by time_step = 2"),
    ],
)
def test_mistakes_are_refused_with_what_and_where(change: dict[str, Any], words: str) -> None:
    call = {
        "frame": world(),
        "outcome": "y",
        "regressors": ["L.y", "x", "z"],
        "gmm": GMM("L.y"),
        "iv": IV("z"),
    } | change
    with pytest.raises(ValueError, match=words):
        dynamic_gmm(**call)


def test_a_regressor_without_instruments_is_named() -> None:
    frame = world().assign(alone=lambda f: (f["city_code"] == "1105").astype(float))
    with pytest.raises(ValueError, match="do not identify alone"):
        dynamic_gmm(frame, "y", ["x", "alone"], GMM("x", equation="difference"), equations="system")


def test_units_of_measurement_do_not_matter_where_instruments_are_collinear() -> None:
    frame = world().assign(z2=lambda f: f["z"] / 3)
    instruments = [IV("z z2"), *(IV(f"y{year}", equation="level") for year in range(2004, 2012))]
    dummies = frame.assign(
        **{f"y{year}": (frame["year"] == year).astype(float) for year in range(2004, 2012)}
    )
    lags = [GMM("L.y", lags=(1, 2)), GMM("x", collapse=True)]
    small = dynamic_gmm(dummies, "y", ["L.y", "x", "z"], lags, instruments)
    large = dynamic_gmm(
        dummies.assign(x=1e12 * frame["x"], z2=1e9 * frame["z"]),
        "y",
        ["L.y", "x", "z"],
        lags,
        instruments,
    )
    assert small.instruments_n == large.instruments_n < len(small.instruments)
    assert (large.coefficients / small.coefficients).to_numpy() == pytest.approx(
        [1, 1e-12, 1, 1], rel=1e-6
    )
    assert (large.standard_errors / small.standard_errors).to_numpy() == pytest.approx(
        [1, 1e-12, 1, 1], rel=1e-6
    )
