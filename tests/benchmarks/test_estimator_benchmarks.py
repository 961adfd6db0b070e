"""The estimators' benchmarks in small: contenders run and agree. Times are for `python -m
tests.benchmarks...`, not for a test.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks import fixed_effects, placebo
from tests.benchmarks.firm_panel import EFFECTS, REGRESSORS, firm_panel


def test_fixed_effects_agree_with_the_peers_that_are_here() -> None:
    run = fixed_effects.compare(
        20_000, "linked", {"ours": 1, "pyfixest": 1, "AbsorbingLS": 1}, timeout=300
    )
    assert run["largest_difference"]["AbsorbingLS"] < fixed_effects.SAME
    assert "pyfixest" in run["largest_difference"] or "No module named" in run["absent"]["pyfixest"]
    assert run["grew_mb"]["ours"] >= 0


def test_draws_by_row_and_by_city_run_and_agree() -> None:
    run = placebo.compare(20_000, 5, 1, 1)
    assert run["collapsed"]
    assert run["pyfixest_calls_made"] == 1 or "No module named" in run["absent"]["pyfixest"]


def test_numbers_that_differ_stop_the_comparison() -> None:
    mine = {"coefficients": [1.0], "standard_errors": [1.0], "t": [1.0]}
    with pytest.raises(ValueError, match="pyfixest differs from ours by 1.0e-03"):
        fixed_effects._differences(
            {"ours": [mine], "pyfixest": [mine | {"standard_errors": [1.001]}]}
        )
    with pytest.raises(ValueError, match="not the same draws"):
        placebo._check(mine | {"t": [1.001]}, mine)


@pytest.mark.parametrize("design", ["linked", "movers"])
def test_the_panel_is_sorted_and_as_large_as_asked(design: str) -> None:
    frame = firm_panel(5_000, design)
    assert len(frame) == 5_000
    assert not frame.duplicated(["firm", "year"]).any()
    assert frame.equals(frame.sort_values(["firm", "year"], ignore_index=True))
    assert np.isfinite(frame[["y", *REGRESSORS]]).all(axis=None)
    assert frame[EFFECTS].nunique()["year"] == 11
