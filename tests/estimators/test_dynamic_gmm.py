"""Dynamic panel GMM against sums written out, and with input that could mislead;
test_dynamic_gmm_golden has other programs' numbers.
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

from analysis.estimators.gmm import GMM, IV, DynamicGMMResult, Lag, dynamic_gmm


def world(units: int = 60, periods: int = 8, seed: int = 5) -> pd.DataFrame:
    """y = 0.5 L.y + 0.4 x + 0.5 z + city effect + noise, with x moved by past y; gaps, and a city
    seen once.
    """
    draw = np.random.default_rng(seed)
    effect = draw.normal(size=units)
    y = x = effect
    rows = []
    for year in range(-10, periods):
        z = draw.normal(size=units)
        x = 0.5 * x + 0.2 * y + 0.3 * effect + draw.normal(size=units)
        y = 0.5 * y + 0.4 * x + 0.5 * z + effect + draw.normal(size=units)
        rows.append(
            pd.DataFrame(
                {
                    "city_code": [f"{1100 + i}" for i in range(units)],
                    "year": 2004 + year,
                    "y": y,
                    "x": x,
                    "z": z,
                    "area": np.exp(effect),
                }
            )
        )
    frame = pd.concat(rows)[lambda all_years: all_years["year"] >= 2004].reset_index(drop=True)
    gaps = (frame["city_code"].isin(["1103", "1117"]) & (frame["year"] == 2007)) | (
        (frame["city_code"] == "1105") & (frame["year"] != 2006)
    )
    return frame[~gaps]


CALL: dict[str, Any] = {
    "gmm": [GMM("L.y"), GMM("x", lags=(1, 2))],
    "iv": [IV("z"), IV("area", equation="level")],
    "time_effects": True,
}


def same(left: DynamicGMMResult, right: DynamicGMMResult, rel: float = 0.0) -> None:
    assert left.coefficients.tolist() == pytest.approx(right.coefficients.tolist(), rel=rel, abs=0)
    assert left.covariance.to_numpy().ravel().tolist() == pytest.approx(
        right.covariance.to_numpy().ravel().tolist(), rel=rel, abs=0
    )


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
        "from tests.estimators.test_dynamic_gmm import CALL, dynamic_gmm, world\nr ="
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


def test_lags_can_be_written_in_several_ways() -> None:
    frame = world()
    base = dynamic_gmm(
        frame, "y", ["L(1/2).y", "x", "L.x"], GMM("L.y L.x", lags=(1, 3)), CALL["iv"]
    )
    assert list(base.coefficients.index) == ["L1.y", "L2.y", "x", "L1.x", "constant"]
    same(
        base,
        dynamic_gmm(frame, "y", "L(1 2).y L(0/1).x", GMM(["L.y", "L.x"], lags="1 3"), CALL["iv"]),
    )
    same(
        base,
        dynamic_gmm(
            frame,
            "y",
            [Lag("y", 1, 2), Lag("x", 0, 1)],
            {"variables": ["L.y", "L.x"], "lags": [1, 3]},
            CALL["iv"],
        ),
    )
    openly = dynamic_gmm(frame, "y", ["L.y"], GMM("y", lags="2..."), IV("z"))
    same(openly, dynamic_gmm(frame, "y", ["L.y"], GMM("y", lags=(2, None)), IV("z")))
    same(
        openly,
        dynamic_gmm(
            frame.assign(year=frame["year"] * 5),
            "y",
            ["L.y"],
            GMM("y", lags="2..."),
            IV("z"),
            time_step=5,
        ),
    )
    assert (
        "L1D.x"
        in dynamic_gmm(frame, "y", ["L.y", "LD.x"], GMM("L.y"), IV("z LD.x")).coefficients.index
    )


def test_split_and_named_groups_are_tested_apart() -> None:
    frame = world()
    gmm = [GMM("L.y", collapse=True, split=True), GMM("x", collapse=True, name="predetermined")]
    result = dynamic_gmm(frame, "y", ["L.y", "x", "z"], gmm, IV("z", name="outside"))
    own = "GMM(L1.y; lags 1..., collapsed)"
    assert set(result.difference_tests.index) == {
        "GMM instruments for levels",
        f"{own} (difference)",
        f"{own} (level)",
        "predetermined",
        "outside",
    }
    assert result.difference_tests.loc[
        ["GMM instruments for levels", f"{own} (level)", "outside"], "df"
    ].tolist() == [2, 1, 1]
    for _, row in result.difference_tests.iterrows():
        assert row["excluding"] + row["difference"] == pytest.approx(
            result.tests["hansen"].statistic
        )
    same(
        result,
        dynamic_gmm(
            frame,
            "y",
            ["L.y", "x", "z"],
            [GMM("L.y", collapse=True), GMM("x", collapse=True)],
            IV("z"),
        ),
        rel=1e-9,
    )


def test_the_note_says_what_was_done() -> None:
    result = dynamic_gmm(world(), "y", ["L.y", "x", "z"], [GMM("L.y", collapse=True)], IV("z"))
    note = result.note()
    for words in (
        "two-step system GMM of y",
        "Windmeijer SE clustered by city_code",
        f"{result.instruments_n} instruments collapsed",
        "59 city_code",
        "2005-2011",
    ):
        assert words in note
    assert "AR(1)" in str(result) and "L1.y" in set(result.tidy()["term"])


def by_hand(frame: pd.DataFrame, h: str, first_year: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """One- and two-step collapsed system GMM of y on L.y, x and a constant, as sums over cities
    with small dense matrices; equations from a year on.
    """
    years = sorted(frame["year"].unique())
    t_n = len(years)
    wide = {
        name: (
            frame.pivot(index="year", columns="city_code", values=name).reindex(years).to_numpy().T
        )
        for name in ("y", "x")
    }
    blocks = []
    for y, x in zip(wide["y"], wide["x"], strict=True):
        lag = np.concatenate([[np.nan], y[:-1]])
        levels = np.column_stack([y, lag, x, np.ones(t_n)])
        moved = np.vstack([np.full(4, np.nan), np.diff(levels, axis=0)])
        rows = np.vstack([moved, levels])
        z = np.zeros((2 * t_n, 2 * (t_n - 1) + 3))
        for source, start in ((lag, 0), (x, t_n - 1)):
            for k in range(1, t_n):
                z[k:t_n, start + k - 1] = np.nan_to_num(source[: t_n - k])
            z[t_n + 1 :, 2 * (t_n - 1) + (start > 0)] = np.nan_to_num(np.diff(source))
        z[t_n:, -1] = 1.0
        used = ~np.isnan(rows).any(axis=1) & np.tile(np.array(years) >= first_year, 2)
        blocks.append((np.where(used[:, None], rows, 0.0), np.where(used[:, None], z, 0.0)))
    change = np.eye(t_n) - np.eye(t_n, k=-1)
    change[0] = 0
    c = np.vstack([change, np.eye(t_n)])
    weight = c @ c.T if h == "3" else np.eye(2 * t_n)
    zx, zy = sum(z.T @ r[:, 1:] for r, z in blocks), sum(z.T @ r[:, 0] for r, z in blocks)
    estimates = []
    s = sum(z.T @ weight @ z for _, z in blocks)
    for _ in range(2):
        a = np.linalg.pinv(s, rcond=1e-13, hermitian=True)
        b = np.linalg.solve(zx.T @ a @ zx, zx.T @ a @ zy)
        estimates.append(b)
        moments = [z.T @ (r[:, 0] - r[:, 1:] @ b) for r, z in blocks]
        s = sum(np.outer(m, m) for m in moments)
    return estimates[0], estimates[1]


@pytest.mark.parametrize("h", [1, 3])
def test_sums_over_cities_written_out(h: int) -> None:
    frame = world()
    first, second = by_hand(frame, str(h))
    for steps, expected in ((1, first), (2, second)):
        result = dynamic_gmm(
            frame,
            "y",
            ["L.y", "x"],
            [GMM("L.y", collapse=True), GMM("x", collapse=True)],
            steps=steps,
            weighting=h,
        )
        assert result.coefficients.tolist() == pytest.approx(expected.tolist(), rel=1e-8)


def test_h1_tests_level_residuals_and_conventions_move_sargan_only() -> None:
    frame = world()
    base = {"gmm": GMM("L.y", collapse=True), "iv": IV("z"), "steps": 1, "small": "xtabond2"}
    published, current = (
        dynamic_gmm(frame, "y", ["L.y", "z"], conventions=c, **base)
        for c in ("published", "xtabond2_3.7")
    )
    assert current.tests["sargan"].statistic * current.n == pytest.approx(
        published.tests["sargan"].statistic * current.transformed_n
    )
    n, k = published.n, 3
    assert (published.standard_errors / current.standard_errors).pow(2).tolist() == pytest.approx(
        [n / (n - k + 1) * (n - k) / (n - 1)] * 3
    )
    same_h1 = [
        dynamic_gmm(frame, "y", ["L.y", "z"], conventions=c, weighting=1, **base)
        .tests["sargan"]
        .statistic
        for c in ("published", "xtabond2_3.7")
    ]
    assert same_h1[0] == same_h1[1]
    levels = dynamic_gmm(frame, "y", ["L.y", "z"], ar_equation="level", ar_orders=3, **base)
    assert {"ar1", "ar2", "ar3"} <= set(levels.tests) and levels.tests[
        "ar1"
    ].statistic != published.tests["ar1"].statistic


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
