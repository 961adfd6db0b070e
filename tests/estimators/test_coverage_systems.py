"""How often 95 % intervals of 3SLS, and of its spatial forms, hold the truth, in 1,000 worlds with
fixed seeds.

`python -m tests.estimators.test_coverage_systems` prints the shares that docs/estimators/systems.md
quotes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from analysis.estimators.spatial.system import generalised_spatial_three_stage, spatial_three_stage
from analysis.estimators.spatial.weights import spatial_weights
from analysis.estimators.system.model import equation_system
from tests.estimators.shares import TEST_DRAWS, as_said

DRAWS = 1000
N = 200
YEARS = 2
SIDE = {"spatial 3SLS": 12, "generalised spatial 3SLS": 24}  # cities along one side of the map
ERRORS = np.array([[1.0, 0.6], [0.6, 1.5]])
MARKET = {
    "demand_price": -0.8,
    "demand_income": 1.0,
    "supply_price": 0.6,
    "supply_cost": -1.0,
    "supply_rain": 0.5,
}
SPATIAL = {
    "one_w_y1": 0.3,
    "one_w_y2": 0.1,
    "one_y2": 0.4,
    "one_x1": 1.0,
    "two_w_y2": 0.2,
    "two_w_y1": 0.0,
    "two_y1": -0.3,
    "two_x2": 1.0,
    "two_x3": -1.0,
}


def market(seed: int) -> pd.DataFrame:
    """Demand and supply of one good, solved for price and quantity; their errors are correlated."""
    draw = np.random.default_rng([2026, seed])
    income, cost, rain = draw.normal(size=(3, N))
    demand, supply = draw.multivariate_normal([0, 0], ERRORS, size=N).T
    price = (income + demand + cost - 0.5 * rain - supply + 1) / 1.4
    quantity = 1 - 0.8 * price + income + demand
    return pd.DataFrame(
        {"quantity": quantity, "price": price, "income": income, "cost": cost, "rain": rain}
    )


def square(side: int) -> np.ndarray:
    """Rook neighbours on a square of cities."""
    row, column = np.divmod(np.arange(side * side), side)
    return ((np.abs(row[:, None] - row) + np.abs(column[:, None] - column)) == 1).astype(float)


def cities(seed: int, matrix: np.ndarray, rho: float) -> pd.DataFrame:
    """Two outcomes with spatial lags and, where rho is not zero, spatial errors; all cities solved
    together, year by year.
    """
    draw = np.random.default_rng([2027, seed])
    n = len(matrix)
    w, eye = (
        sparse.csc_array(matrix / matrix.sum(axis=1, keepdims=True)),
        sparse.eye_array(n, format="csc"),
    )
    system = sparse.block_array(
        [[eye - 0.3 * w, -0.1 * w - 0.4 * eye], [0.3 * eye, eye - 0.2 * w]], format="csc"
    )
    solve, spread = (
        sparse.linalg.splu(system).solve,
        sparse.linalg.splu(sparse.csc_array(eye - rho * w)).solve,
    )
    frames = []
    for year in range(YEARS):
        x = draw.normal(size=(n, 3))
        u = spread(draw.multivariate_normal([0, 0], ERRORS, size=n))
        y = solve(np.concatenate([1 + x[:, 0] + u[:, 0], x[:, 1] - x[:, 2] + u[:, 1]]))
        frames.append(
            pd.DataFrame(
                {
                    "city_code": np.arange(n),
                    "year": year,
                    "y1": y[:n],
                    "y2": y[n:],
                    "x1": x[:, 0],
                    "x2": x[:, 1],
                    "x3": x[:, 2],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def coverage(name: str, draws: int, side: int | None = None) -> pd.Series:
    """Share of worlds in which each coefficient's interval holds its truth."""
    truth = pd.Series(MARKET if name == "3SLS" else SPATIAL)
    matrix = square(side or SIDE.get(name, 2))
    weights = spatial_weights(matrix, range(len(matrix)))
    held = pd.Series(0.0, index=truth.index)
    for seed in range(draws):
        if name == "3SLS":
            equations = {
                "demand": ("quantity", ["price", "income"]),
                "supply": ("quantity", ["price", "cost", "rain"]),
            }
            result = equation_system(market(seed), equations, "3SLS", ["income", "cost", "rain"])
        else:
            estimator, rho = (
                (spatial_three_stage, 0.0)
                if name == "spatial 3SLS"
                else (generalised_spatial_three_stage, 0.4)
            )
            result = estimator(
                cities(seed, matrix, rho),
                {"one": ("y1", ["x1"]), "two": ("y2", ["x2", "x3"])},
                weights,
                time="year",
            )
        interval = result.confidence_intervals().loc[truth.index]
        held += (interval["lower"] <= truth) & (truth <= interval["upper"])
    return held / draws


@pytest.mark.slow
@pytest.mark.parametrize("name", ["3SLS", "spatial 3SLS", "generalised spatial 3SLS"])
def test_intervals_cover(name: str) -> None:
    shares = coverage(name, TEST_DRAWS)
    # The rho that goes before takes its toll of the own lag's interval in small samples: 0.89 with
    # 288 rows, 0.93 with 1,152.
    said = 0.94 if name.startswith("generalised") else 0.95
    assert as_said(shares, TEST_DRAWS, said), shares.to_dict()


if __name__ == "__main__":
    for which in ("3SLS", "spatial 3SLS", "generalised spatial 3SLS"):
        print(which, coverage(which, DRAWS).round(3).to_dict())
    print(
        "generalised spatial 3SLS, 144 cities",
        coverage("generalised spatial 3SLS", DRAWS, side=12).round(3).to_dict(),
    )
