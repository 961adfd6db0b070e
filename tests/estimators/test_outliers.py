"""Percentiles by three definitions, winsorising and trimming: numpy, cases by hand, and input that
could mislead.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.core.outliers import percentile, trim, winsorise


@pytest.mark.parametrize(
    ("definition", "method"),
    [("stata", "averaged_inverted_cdf"), ("altdef", "weibull"), ("linear", "linear")],
)
def test_percentiles_equal_numpys_methods(definition: str, method: str) -> None:
    draw = np.random.default_rng(0)
    for n in (1, 2, 7, 40, 100, 250):
        values = draw.normal(size=n)
        for p in (0, 1, 2.5, 25, 50, 75, 97.5, 99, 100):
            assert percentile(values, p, definition) == pytest.approx(
                np.percentile(values, p, method=method), abs=1e-14
            )


def test_stata_percentile_by_hand() -> None:
    values = np.arange(1.0, 201.0)
    assert (
        percentile(values, 1) == 2.5
    )  # 200 times 1 % is whole: the mean of the second and the third
    assert percentile(values[:150], 1) == 2.0
    assert percentile(np.arange(1.0, 701.0), 7) == 49.5  # 700 * 0.07 is not 49 in floating point


def test_winsorise_and_trim() -> None:
    frame = pd.DataFrame(
        {
            "v": np.arange(1.0, 201.0),
            "w": np.arange(200.0)[::-1],
            "g": np.repeat(["a", "b"], 100),
            "i": range(200),
        }
    )
    frame.loc[10, "v"] = np.nan
    before = frame.copy()
    clipped = winsorise(frame, ["v", "w"], 1, 99)
    assert clipped.frame["v"].min() == clipped.limits.loc[("v", "all"), "lower"] == 2
    assert clipped.limits.loc[("v", "all"), "n"] == 199 and np.isnan(clipped.frame.loc[10, "v"])
    assert clipped.limits.loc[("w", "all"), ["below", "above"]].tolist() == [2, 2]
    cut = trim(frame, ["w"], 1, 99, suffix="_t")
    assert cut.frame["w_t"].isna().sum() == 4 and cut.frame["w"].equals(frame["w"])
    grouped = winsorise(frame, ["i"], 10, 90, by=["g"])
    assert (
        grouped.limits.loc[("i", "a"), "upper"] == 89.5
        and grouped.limits.loc[("i", "b"), "lower"] == 109.5
    )
    shuffled = winsorise(frame.sample(frac=1, random_state=1), ["v", "w"], 1, 99)
    pd.testing.assert_frame_equal(shuffled.frame.sort_index(), clipped.frame)
    pd.testing.assert_frame_equal(frame, before)
    with pytest.raises(ValueError, match="lower one lies below"):
        winsorise(frame, ["v"], 99, 1)
    with pytest.raises(ValueError, match="'g' holds"):
        winsorise(frame, ["g"])
    with pytest.raises(ValueError, match="v_w exists"):
        winsorise(frame.assign(v_w=1), ["v"], suffix="_w")
