"""Matching and PSM-DID: order, types and processes that change nothing, what is refused, and what
is warned of.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.did.psm import psm_did
from analysis.estimators.matching.model import match, matching_att
from analysis.estimators.matching.weights import TieError
from tests.estimators.matching_cases import RUNS, att, coarse, numbers_of, panel, small


def test_ties_that_matter_need_keys() -> None:
    with pytest.raises(TieError, match="pass keys"):
        matching_att(small(), "y", "d", score="p", options={"ties": "first"})
    with pytest.raises(TieError, match="order of rows matters"):
        matching_att(small(), "y", "d", score="p", options={"ties": "first", "replacement": False})
    assert (
        att(neighbours=2, ties="first")
        == matching_att(
            small(), "y", "d", score="p", options={"ties": "first", "neighbours": 2}
        ).coefficients["ATT"]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "exact"}, "method = 'exact'"),
        ({"method": "radius"}, "radius matching needs a caliper"),
        ({"method": "kernel", "caliper": 0.1}, "a bandwidth, not a caliper"),
        ({"neighbours": 0}, "one or more"),
        ({"replacement": False}, "ties='first'"),
        ({"bandwith": 0.1}, "options has no 'bandwith'. Nearest: bandwidth"),
        ({"caliper": 1e-9, "support": "trim"}, "no treated row has a control near enough"),
        ({"support": "trim", "trim": 0.49}, "leaves 0 treated rows"),
    ],
)
def test_options_that_make_no_sense(options: dict, message: str) -> None:
    frame = small().assign(p=lambda f: f["p"] + f["d"] * 0.001)
    with pytest.raises(ValueError, match=message):
        match(frame, "d", score="p", keys=["id"], options=options)


def test_psm_did_says_what_is_wrong() -> None:
    frame = panel()
    with pytest.raises(ValueError, match="year 2013: x predicts the outcome perfectly"):
        psm_did(
            frame.assign(
                x=np.where(
                    frame["year"] == 2013, frame["zone"] * 9.0 + frame["x"] / 100, frame["x"]
                )
            ),
            "y",
            "did",
            "city",
            "year",
            ["x"],
            how="yearly",
        )
    with pytest.raises(ValueError, match="region does not vary|holds .* not numbers"):
        psm_did(frame, "y", "did", "city", "year", ["x", "region"])
    with pytest.raises(ValueError, match="base_period belongs to"):
        psm_did(frame, "y", "did", "city", "year", ["x"], how="base_period")
    with pytest.raises(ValueError, match="how = 'monthly'"):
        psm_did(frame, "y", "did", "city", "year", ["x"], how="monthly")


@pytest.mark.parametrize("name", RUNS)
def test_rows_columns_index_and_ids_change_nothing(name: str) -> None:
    frame = coarse()
    expected = numbers_of(RUNS[name](frame))
    assert np.isfinite(expected).all()
    variants = {
        "shuffled": frame.sample(frac=1, random_state=np.random.default_rng(1)),
        "extra column, dates as index": (
            frame.assign(extra="q").set_index(pd.date_range("2020", periods=len(frame)))
        ),
        "repeated labels": frame.set_axis([0] * len(frame)),
        "categories": frame.astype({"city": "category", "region": "category"}),
        "integers": frame.astype({"city": int}),
    }
    for what, variant in variants.items():
        before = variant.copy(deep=True)
        np.testing.assert_array_equal(numbers_of(RUNS[name](variant)), expected, err_msg=what)
        pd.testing.assert_frame_equal(variant, before)


@pytest.mark.parametrize("name", RUNS)
def test_float32_is_computed_in_double(name: str) -> None:
    single = coarse().astype({"y": "float32", "x": "float32", "k": "float32"})
    double = single.astype({"y": "float64", "x": "float64", "k": "float64"})
    np.testing.assert_array_equal(numbers_of(RUNS[name](single)), numbers_of(RUNS[name](double)))


def test_missing_values_and_duplicates() -> None:
    frame = coarse()
    frame.loc[[3, 9], "x"] = np.nan
    frame.loc[12, "y"] = np.nan
    frame.loc[20, "region"] = None
    result = RUNS["neighbours"](frame)
    assert result.dropped == {"y missing": 1, "region missing": 1, "x missing": 2}
    complete = frame.dropna()
    np.testing.assert_array_equal(numbers_of(result), numbers_of(RUNS["neighbours"](complete)))
    doubled = pd.concat([frame, frame.iloc[[30]]])
    for name in ("neighbours", "yearly"):
        with pytest.raises(ValueError, match="1 row with the city and year of an earlier row"):
            RUNS[name](doubled)
    with pytest.raises(ValueError, match="same in every complete row"):
        match(frame[frame["zone"] == 1], "zone", score="z")


PROGRAM = """
import sys
sys.path[:0] = {path!r}
from tests.estimators.matching_cases import RUNS, coarse, numbers_of
print([numbers_of(run(coarse())).tobytes().hex() for run in RUNS.values()])
"""


def test_the_same_numbers_in_every_process() -> None:
    here = Path(__file__).parent
    text = PROGRAM.format(path=[str(here), str(here.parents[1])])
    printed = []
    for seed in ("1", "77"):
        done = subprocess.run(
            [sys.executable, "-c", text],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout)
    assert printed[0] == printed[1]
    assert len(printed[0]) > 200


def test_treated_rows_without_a_match_are_warned_of() -> None:
    matching = match(small(), "d", score="p", keys=["id"], options={"caliper": 0.1})
    (caution,) = matching.warnings
    assert caution.kind == "unmatched" and caution.sentence.startswith("1 of 3 treated rows")
    assert f"Warning: {caution}" in str(matching) and match(small(), "d", score="p").warnings == ()


def test_errors_that_take_years_of_a_city_for_independent_are_warned_of() -> None:
    options = {"outcome": "y", "treatment": "zone", "covariates": ["x"]}
    result = matching_att(panel(), **options, keys=["city", "year"])
    assert [caution.kind for caution in result.warnings] == ["clusters_unused"]
    one = panel().loc[lambda f: f["year"] == 2014]
    assert matching_att(one, **options, keys=["city", "year"]).warnings == ()


def test_only_the_rows_asked_for_are_matched() -> None:
    frame = panel()
    asked = frame["year"] >= 2014
    spoiled = frame.assign(x=frame["x"].where(asked), y=frame["y"].where(asked, np.inf), here=asked)
    options = {"keys": ["city", "year"], "options": {"neighbours": 2}}
    here, alone = (
        match(spoiled, "zone", ["x"], where="here", **options),
        match(frame[asked], "zone", ["x"], **options),
    )
    pd.testing.assert_series_equal(here.weights, alone.weights)
    assert here.dropped == {"outside where": int((~asked).sum())}
    np.testing.assert_array_equal(here.rows, np.flatnonzero(asked))
    effect = matching_att(spoiled, "y", "zone", ["x"], where="here", **options)
    assert effect.coefficients.equals(
        matching_att(frame[asked], "y", "zone", ["x"], **options).coefficients
    )
    np.testing.assert_array_equal(effect.matching.rows, np.flatnonzero(asked))
