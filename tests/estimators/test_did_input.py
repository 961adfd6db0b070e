"""Difference in differences with input that could mislead: order and types, gaps, duplicates, what
cannot be estimated, and the same numbers in every process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.did.bacon import bacon_decomposition
from analysis.estimators.did.imputation import imputation
from analysis.estimators.did.sun_abraham import sun_abraham
from analysis.estimators.did.twoway import difference_in_differences, event_study
from tests.estimators.did_cases import ALL, COLUMNS, numbers_of, world


@pytest.fixture
def made_up() -> pd.DataFrame:
    return world()


@pytest.mark.parametrize("name", ALL)
def test_rows_columns_index_and_ids_change_nothing(made_up: pd.DataFrame, name: str) -> None:
    expected = numbers_of(ALL[name](made_up))
    assert np.isfinite(expected[~np.isnan(expected)]).all()
    draw = np.random.default_rng(1)
    variants = {
        "shuffled": made_up.sample(frac=1, random_state=draw),
        "extra column, dates as index": (
            made_up.assign(extra="z").set_index(pd.date_range("2020", periods=len(made_up)))
        ),
        "repeated labels": made_up.set_axis([0] * len(made_up)),
        "categories": made_up.astype({"city": "category", "province": "category"}),
        "integers": made_up.astype({"city": int}),
        "cohort as float": made_up.astype({"cohort": float}),
    }
    for what, frame in variants.items():
        before = frame.copy(deep=True)
        np.testing.assert_array_equal(numbers_of(ALL[name](frame)), expected, err_msg=what)
        pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("name", ALL)
def test_float32_is_computed_in_double(made_up: pd.DataFrame, name: str) -> None:
    single = made_up.astype({"y": "float32", "x": "float32"})
    np.testing.assert_array_equal(
        numbers_of(ALL[name](single)),
        numbers_of(ALL[name](single.astype({"y": "float64", "x": "float64"}))),
    )


@pytest.mark.parametrize("name", ALL)
def test_missing_values_and_duplicates(made_up: pd.DataFrame, name: str) -> None:
    holes = made_up.copy()
    holes.loc[[3, 4], "y"] = np.nan
    holes.loc[10, "x"] = np.inf
    result = ALL[name](holes)
    assert {key: result.dropped[key] for key in ("y missing", "x infinite")} == {
        "y missing": 2,
        "x infinite": 1,
    }
    assert len(result.sample) == result.n
    doubled = pd.concat([made_up, made_up.iloc[[9]]])
    with pytest.raises(
        ValueError, match=r"1 row with the city and year of an earlier row \(city 1101, year 2011\)"
    ):
        ALL[name](doubled)
    with pytest.raises(ValueError, match="column 'cohort' is not in the frame"):
        ALL[name](made_up.drop(columns="cohort"))


@pytest.mark.parametrize("name", [name for name in ALL if name != "callaway_santanna panel"])
def test_gaps_and_a_city_with_one_year(made_up: pd.DataFrame, name: str) -> None:
    lone = pd.DataFrame(
        {
            "city": ["9999"],
            "year": [2013],
            "cohort": [0],
            "y": [1.0],
            "x": [0.0],
            "w": [1.0],
            "treated": [0],
            "province": ["p00"],
        }
    )
    frame = pd.concat([made_up.drop(index=made_up.index[[20, 21, 200]]), lone], ignore_index=True)
    result = ALL[name](frame)
    assert result.n == len(frame)
    without = ALL[name](frame.iloc[:-1])
    if (
        name != "callaway_santanna"
    ):  # cross-section comparisons use the row; effects absorb it elsewhere
        np.testing.assert_allclose(result.coefficients, without.coefficients, atol=1e-10)


@pytest.mark.parametrize("name", ["difference_in_differences", "event_study", "sun_abraham"])
def test_absorbed_and_constant_regressors_are_named(made_up: pd.DataFrame, name: str) -> None:
    for column, values in (("x", made_up["city"].astype(float)), ("x", 1.0)):
        with pytest.raises(
            ValueError, match=f"{column} does not vary once the city and year effects are taken out"
        ):
            ALL[name](made_up.assign(**{column: values}))


def test_what_cannot_be_estimated_is_said(made_up: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="not both"):
        difference_in_differences(made_up, "y", "city", "year")
    nobody = made_up.assign(cohort=0)
    for run in (event_study, sun_abraham, imputation):
        with pytest.raises(ValueError, match=r"no unit is treated|no row is treated"):
            run(nobody, *COLUMNS)
    with pytest.raises(ValueError, match="treatment does not vary"):
        bacon_decomposition(nobody, *COLUMNS)
    with pytest.raises(ValueError, match=r"1 units miss a period \(city 1100\)"):
        bacon_decomposition(made_up.iloc[1:], *COLUMNS)
    with pytest.raises(ValueError, match="base .* lies outside the event times"):
        event_study(made_up, *COLUMNS, base=-9)
    with pytest.raises(ValueError, match="ends = 'cut'"):
        event_study(made_up, *COLUMNS, ends="cut")
    with pytest.raises(ValueError, match="cohort 2012 is not seen at event time -4"):
        sun_abraham(made_up, *COLUMNS, base=-4)
    with pytest.raises(ValueError, match="leave_one_out: a cohort and period has one cluster only"):
        imputation(
            made_up[~made_up["cohort"].eq(2012) | made_up["city"].eq("1101")],
            *COLUMNS,
            leave_one_out=True,
        )
    with pytest.raises(ValueError, match="cluster.* differs inside a unit"):
        event_study(
            made_up.assign(moving=made_up["year"] % 2), *COLUMNS, covariance={"cluster": ["moving"]}
        )


PROGRAM = """
import sys
sys.path[:0] = {path!r}
from tests.estimators.did_cases import ALL, numbers_of, world
print([numbers_of(run(world())).tobytes().hex() for run in ALL.values()])
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
    assert len(printed[0]) > 1000


def test_notes_read_as_one_sentence(made_up: pd.DataFrame) -> None:
    note = sun_abraham(made_up, *COLUMNS, ["x"], covariance={"cluster": ["province"]}).note()
    assert note.startswith(
        "Sun-Abraham event study (base -1; with x) of y, 480 rows (60 city, 8 year"
    )
    assert "clustered by province (12 clusters" in note
    assert (
        "conservative, clustered by city, effects averaged over cohort and period"
        in imputation(made_up, *COLUMNS).note()
    )
    assert "Goodman-Bacon decomposition" in str(bacon_decomposition(made_up, *COLUMNS))
