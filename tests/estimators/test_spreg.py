"""The block of docs/estimators/systems.md that hands our weights to spreg, run as it
stands there.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimators import SpatialEquation, spatial_three_stage, spatial_weights

PAGE = Path(__file__).parents[2] / "docs" / "estimators" / "systems.md"


def block() -> str:
    """The one Python block of the page that imports spreg."""
    found = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (code,) = [part for part in found if "spreg" in part]
    return code


def test_our_weights_reach_spreg() -> None:
    """The lag model by spreg's two-stage least squares is our system of one equation."""
    pytest.importorskip("libpysal", reason="libpysal is not installed: pip install libpysal spreg")
    pytest.importorskip("spreg", reason="spreg is not installed: pip install libpysal spreg")
    draw = np.random.default_rng(4)
    cities = [f"{1100 + i}" for i in range(40)]
    matrix = np.roll(np.eye(40), 1, axis=0) + np.roll(np.eye(40), -1, axis=0)
    weights = spatial_weights(matrix, cities)
    panel = pd.DataFrame({"city_code": cities * 2, "year": np.repeat([2014, 2015], 40)})
    panel["x"] = draw.normal(size=80)
    w = np.kron(np.eye(2), matrix / 2)
    panel["y"] = np.linalg.solve(np.eye(80) - 0.4 * w, 2 * panel["x"] + draw.normal(size=80))
    panel = panel.sample(frac=1, random_state=1)
    names = {"panel": panel, "weights": weights}
    exec(compile(block(), str(PAGE), "exec"), names)  # a page of our own, not input
    only = {"one": SpatialEquation("y", ["x"], lagged=["y"])}
    ours = spatial_three_stage(panel[panel["year"] == 2015], only, weights, method="2SLS")
    theirs = names["lag"].betas.ravel()  # constant, x, lag
    terms = ["one_constant", "one_x", "one_w_y"]
    np.testing.assert_allclose(ours.coefficients[terms], theirs, rtol=1e-8)
