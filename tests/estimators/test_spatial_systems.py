"""Spatial equations: R spatialreg's and systemfit's numbers, the textbook formulas in full
matrices, and input that could mislead.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from analysis.estimators.spatial.equations import SpatialEquation
from analysis.estimators.spatial.moments import error_moments
from analysis.estimators.spatial.system import generalised_spatial_three_stage, spatial_three_stage
from analysis.estimators.spatial.weights import SpatialWeights, spatial_weights
from tests.estimators.spatial_cases import EQUATIONS, rook

COLUMBUS = {"eq1": ("CRIME", ["INC"]), "eq2": ("HOVAL", ["OPEN", "PLUMB"])}

THEIRS = {"constant": "(Intercept)", "w_CRIME": "WC", "w_HOVAL": "WH"}


@pytest.fixture(scope="module")
def golden() -> Path:
    folder = os.environ.get("CITYTRADE_GOLDEN")
    if not folder:
        pytest.skip("CITYTRADE_GOLDEN is not set: the numbers of other programs are not here")
    return Path(folder) / "spatial_gs3sls"


@pytest.fixture(scope="module")
def columbus(golden: Path) -> tuple[pd.DataFrame, SpatialWeights, dict]:
    frame = pd.read_csv(golden / "columbus_old.csv").assign(area=range(49))
    w = pd.read_csv(golden / "W_columbus_rowstd.csv", header=None).to_numpy()
    return (
        frame,
        spatial_weights(w > 0, range(49)),
        json.loads((golden / "r_spatialreg_systemfit.json").read_text()),
    )


@pytest.mark.parametrize("method", ["2SLS", "3SLS"])
@pytest.mark.parametrize(("divisor", "name"), [("none", "noDfCor"), ("geomean", "geomean")])
def test_three_stage_equals_systemfit(
    columbus: tuple, method: str, divisor: str, name: str
) -> None:
    frame, weights, numbers = columbus
    expected = numbers[f"gs3sls_{method}_{name}"]
    result = spatial_three_stage(
        frame, COLUMBUS, weights, unit="area", method=method, residual_covariance=divisor
    )
    assert len(result.coefficients) == len(expected["coef"])
    for term in result.coefficients.index:
        theirs = term[:4] + THEIRS.get(term[4:], term[4:])
        assert result.coefficients[term] == pytest.approx(expected["coef"][theirs], rel=1e-9)
        assert result.standard_errors[term] == pytest.approx(expected["se"][theirs], rel=1e-9)
    np.testing.assert_allclose(
        result.residual_covariance.to_numpy().ravel(), expected["residCov"], rtol=1e-9
    )


def test_moments_equal_spatialreg(columbus: tuple) -> None:
    """The spatial error of least-squares residuals, as R's GMerrorsar has it."""
    frame, weights, numbers = columbus
    x = np.column_stack([np.ones(49), frame[["INC", "HOVAL"]]])
    u = frame["CRIME"] - x @ np.linalg.lstsq(x, frame["CRIME"], rcond=None)[0]
    found = error_moments(u.to_numpy(), weights.among(np.arange(49)))
    assert found.rho == pytest.approx(numbers["GMerrorsar"]["lambda"], rel=1e-10)


def test_kelejian_prucha_equals_the_formulas_in_full_matrices(spatial_panel: tuple) -> None:
    """Steps of Kelejian and Prucha (2004), written out with the stacked weights, an explicit
    projection and a numerical search.
    """
    frame, pairs = spatial_panel
    result = generalised_spatial_three_stage(frame, EQUATIONS, spatial_weights(pairs), time="year")
    data = frame.sort_values(["year", "city_code"])
    matrix = rook(6)
    w = np.kron(np.eye(4), matrix / matrix.sum(axis=1, keepdims=True))
    one, n = np.ones((len(data), 1)), len(data)
    x = data[["x1", "x2", "x3"]].to_numpy()
    h = np.hstack([one, x, w @ x, w @ w @ x])
    p = h @ np.linalg.inv(h.T @ h) @ h.T
    y1, y2 = data["y1"].to_numpy(), data["y2"].to_numpy()
    sides = [
        (y1, np.column_stack([one, w @ y1, w @ y2, y2, x[:, 0]])),
        (y2, np.column_stack([one, w @ y2, w @ y1, y1, x[:, 1:]])),
    ]
    rhos, starred = [], []
    for y, z in sides:
        u = y - z @ np.linalg.solve(z.T @ p @ z, z.T @ p @ y)
        v, vv = w @ u, w @ w @ u
        g = np.array([u @ u, v @ v, u @ v]) / n
        big = (
            np.array(
                [
                    [2 * u @ v, -v @ v, n],
                    [2 * vv @ v, -vv @ vv, np.trace(w.T @ w)],
                    [u @ vv + v @ v, -v @ vv, 0],
                ]
            )
            / n
        )
        found = optimize.least_squares(
            lambda t, big=big, g=g: big @ [t[0], t[0] ** 2, t[1]] - g,
            [0.0, 1.0],
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
        )
        rhos.append(found.x[0])
        starred.append(
            (y - found.x[0] * w @ y, p @ (z - found.x[0] * w @ z), z - found.x[0] * w @ z)
        )
    residuals = np.column_stack(
        [y - z @ np.linalg.solve(hat.T @ hat, hat.T @ y) for y, hat, z in starred]
    )
    weight = np.kron(np.linalg.inv(residuals.T @ residuals / n), np.eye(n))
    hat = np.block([[starred[0][1], np.zeros((n, 6))], [np.zeros((n, 5)), starred[1][1]]])
    bread = np.linalg.inv(hat.T @ weight @ hat)
    delta = bread @ hat.T @ weight @ np.concatenate([starred[0][0], starred[1][0]])
    np.testing.assert_allclose(result.spatial_error, rhos, atol=1e-7)
    np.testing.assert_allclose(result.coefficients, delta, rtol=1e-6)
    np.testing.assert_allclose(result.standard_errors, np.sqrt(np.diag(bread)), rtol=1e-6)


def test_moments_are_at_their_minimum(spatial_panel: tuple) -> None:
    _, pairs = spatial_panel
    w = spatial_weights(pairs).among(np.arange(36))
    draw = np.random.default_rng(0)
    for _ in range(20):
        u = np.linalg.solve(np.eye(36) - 0.5 * w.toarray(), draw.normal(size=36))
        found = error_moments(u, w)
        v, z = w @ u, w @ (w @ u)
        g = np.array([u @ u, v @ v, u @ v]) / 36
        big = (
            np.array(
                [
                    [2 * u @ v, -v @ v, 36],
                    [2 * v @ z, -z @ z, (w.data**2).sum()],
                    [u @ z + v @ v, -v @ z, 0],
                ]
            )
            / 36
        )

        def distance(rho: float, s2: float, big: np.ndarray = big, g: np.ndarray = g) -> float:
            return float(((big @ [rho, rho**2, s2] - g) ** 2).sum())

        grid = min(
            distance(rho, s2)
            for rho in np.linspace(-0.99, 0.99, 100)
            for s2 in np.linspace(0.3, 3, 40)
        )
        assert distance(found.rho, found.variance) == pytest.approx(found.distance, abs=1e-12)
        assert found.distance <= grid + 1e-12


def test_effects_equal_their_dummies(spatial_panel: tuple) -> None:
    """Year effects taken out are year dummies among regressors and instruments."""
    frame, pairs = spatial_panel
    weights = spatial_weights(pairs)
    dummies = frame.assign(
        **{f"d{year}": (frame.year == year).astype(float) for year in (2013, 2014, 2015)}
    )
    plain = spatial_three_stage(
        dummies, EQUATIONS, weights, time="year", auxiliary=["d2013", "d2014", "d2015"]
    )
    taken = spatial_three_stage(frame, EQUATIONS, weights, time="year", effects=["year"])
    np.testing.assert_allclose(
        taken.coefficients, plain.coefficients[taken.coefficients.index], rtol=1e-9
    )
    np.testing.assert_allclose(
        taken.standard_errors, plain.standard_errors[taken.coefficients.index], rtol=1e-9
    )
    scaled = spatial_three_stage(
        frame, EQUATIONS, weights, time="year", effects=["year"], residual_covariance="geomean"
    )
    same = spatial_three_stage(
        dummies,
        EQUATIONS,
        weights,
        time="year",
        auxiliary=["d2013", "d2014", "d2015"],
        residual_covariance="geomean",
    )
    np.testing.assert_allclose(
        scaled.standard_errors, same.standard_errors[scaled.coefficients.index], rtol=1e-9
    )


def test_both_effects_and_gaps_run_and_say_so(spatial_panel: tuple) -> None:
    frame, pairs = spatial_panel
    holes = frame.drop(index=[4, 60, 61])
    for estimator in (spatial_three_stage, generalised_spatial_three_stage):
        result = estimator(
            holes, EQUATIONS, spatial_weights(pairs), time="year", effects=["city_code", "year"]
        )
        assert result.n == 141 and "city_code and year effects taken out" in result.note()
        assert np.isfinite(result.standard_errors).all()


def test_the_first_stage_is_that_of_least_squares(spatial_panel: tuple) -> None:
    """One endogenous regressor: F of the excluded instruments; Sargan's n R2 of the residuals."""
    frame, pairs = spatial_panel
    only = {"one": SpatialEquation("y1", ["x1", "x2", "x3"], endogenous=[], lagged=["y1"])}
    weights = spatial_weights(pairs)
    result = spatial_three_stage(frame, only, weights, time="year")
    data = frame.sort_values(["year", "city_code"])
    w = np.kron(np.eye(4), weights.among(np.arange(36)).toarray())
    x = np.column_stack([np.ones(144), data[["x1", "x2", "x3"]]])
    z = np.column_stack([x, w @ x[:, 1:], w @ w @ x[:, 1:]])
    y, lag = data["y1"].to_numpy(), w @ data["y1"].to_numpy()

    def rest(of: np.ndarray, on: np.ndarray) -> np.ndarray:
        return of - on @ np.linalg.lstsq(on, of, rcond=None)[0]

    rss = [float((rest(lag, on) ** 2).sum()) for on in (x, z)]
    first = result.tests["first_stage_one_w_y1"]
    assert (first.df, first.df2) == (6, 134)
    assert first.statistic == pytest.approx((rss[0] - rss[1]) / 6 / (rss[1] / 134), rel=1e-9)
    hat = np.column_stack([x, lag - rest(lag, z)])
    b = np.linalg.lstsq(hat, y, rcond=None)[0]
    e = y - np.column_stack([x, lag]) @ b
    share = 1 - float((rest(e, z) ** 2).sum()) / float(e @ e)
    sargan = result.tests["sargan_one"]
    assert sargan.df == 5 and sargan.statistic == pytest.approx(144 * share, rel=1e-9)
