"""The principal component index: R's numbers, a second route, tests of adequacy by hand, and
indicators that say nothing.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.measures.components import principal_component_index
from analysis.measures.weights import principal_components

NAMES = ["a", "b", "c", "d"]


@pytest.fixture
def frame() -> pd.DataFrame:
    draw = np.random.default_rng(5)
    common = draw.normal(size=(300, 1))
    return pd.DataFrame(
        common + draw.normal(size=(300, 4)) * np.array([0.3, 0.6, 1.0, 1.5]), columns=NAMES
    )


@pytest.mark.skipif(
    "CITYTRADE_GOLDEN" not in os.environ,
    reason="CITYTRADE_GOLDEN names no folder with reference numbers",
)
def test_equals_r_prcomp() -> None:
    golden = Path(os.environ["CITYTRADE_GOLDEN"]) / "pca"
    arrests = pd.read_csv(golden / "usarrests.csv").set_index("state")
    expected = json.loads((golden / "r_prcomp.json").read_text())
    result = principal_component_index(arrests, list(arrests.columns))
    assert np.sqrt(result.eigenvalues).to_list() == pytest.approx(expected["sdev"], abs=1e-12)
    # R's first component points downwards here: its loadings add up to a negative number.
    assert result.loadings["pc1"].to_list() == pytest.approx(
        [-loading for loading in expected["rotation"][:4]], abs=1e-12
    )
    scores = pd.Series(expected["scores_pc1_first5"])
    assert result.index[scores.index].to_list() == pytest.approx((-scores).to_list(), abs=1e-12)


def test_two_indicators_by_hand() -> None:
    """With correlation r the eigenvalues are 1 + r and 1 - r, the direction (1, 1) / sqrt 2, KMO
    1/2, Bartlett -(n - 1 - 9/6) ln(1 - r^2).
    """
    frame = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [2.0, 1, 4, 3]})
    result = principal_component_index(frame, ["a", "b"])
    r = 0.6
    assert result.eigenvalues.to_list() == pytest.approx([1 + r, 1 - r], abs=1e-14)
    assert result.loadings["pc1"].to_list() == pytest.approx([math.sqrt(0.5)] * 2, abs=1e-14)
    z = (frame - 2.5) / math.sqrt(5 / 3)
    assert result.index.to_list() == pytest.approx(
        ((z["a"] + z["b"]) / math.sqrt(2)).to_list(), abs=1e-14
    )
    assert result.kmo == pytest.approx(0.5)
    assert result.bartlett == pytest.approx(-(4 - 1 - 9 / 6) * math.log(1 - r**2), abs=1e-14)
    assert result.bartlett_df == 1


def test_equals_the_other_route(frame: pd.DataFrame) -> None:
    for keep in (1, 3):
        other = principal_components(frame, NAMES, keep=keep)
        result = principal_component_index(frame, NAMES, keep=keep)
        assert result.index.to_numpy() == pytest.approx(other.index.to_numpy(), abs=1e-12)
    assert result.shares.sum() == pytest.approx(1, abs=1e-15)
    assert 0.5 < result.kmo < 1
    assert result.bartlett_p < 1e-10


def test_order_units_and_other_columns_change_nothing(frame: pd.DataFrame) -> None:
    first = principal_component_index(frame, NAMES)
    shuffled = frame.sample(frac=1, random_state=3).assign(extra="text")
    again = principal_component_index(shuffled, NAMES)
    assert again.index.sort_index().to_list() == first.index.to_list()
    units = frame.assign(b=frame["b"] * 1e4 + 7)
    assert principal_component_index(units, NAMES).index.to_numpy() == pytest.approx(
        first.index.to_numpy(), abs=1e-11
    )


def test_index_rises_with_its_indicators(frame: pd.DataFrame) -> None:
    assert principal_component_index(-frame, NAMES).loadings["pc1"].sum() > 0
    assert frame.sum(axis=1).corr(principal_component_index(frame, NAMES).index) > 0.9


def test_indicators_that_say_nothing_are_named(frame: pd.DataFrame) -> None:
    spoilt = frame.assign(flat=2.0, none=np.nan)
    spoilt.loc[3, "a"] = np.inf
    result = principal_component_index(spoilt, [*NAMES, "flat", "none"])
    assert dict(result.problems) == {"none": "all missing", "flat": "all equal"}
    assert result.loadings.loc[["flat", "none"], "pc1"].to_list() == [0.0, 0.0]
    assert result.dropped == {"a infinite": 1}
    assert np.isnan(result.index[3])
    assert result.index.drop(3).notna().all()


def test_nothing_usable_gives_a_missing_index() -> None:
    result = principal_component_index(
        pd.DataFrame({"a": [1.0, 1.0], "b": [np.nan, np.nan]}), ["a", "b"]
    )
    assert result.index.isna().all()
    assert result.n == 0


def test_two_equal_indicators_have_no_adequacy(frame: pd.DataFrame) -> None:
    result = principal_component_index(frame.assign(twin=frame["a"]), [*NAMES, "twin"])
    assert math.isnan(result.kmo)
    assert result.index.notna().all()


def test_refuses_nonsense(frame: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="keep is 5"):
        principal_component_index(frame, NAMES, keep=5)
    with pytest.raises(ValueError, match="'z' is not in the frame"):
        principal_component_index(frame, ["a", "z"])
