"""What measures and estimators make of invented data, to be compared between kernels of OpenBLAS.

python -m tests.faults.figures      prints {name: [numbers, as hexadecimal floats]} as JSON
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from analysis.estimators import (
    GMM,
    Lag,
    Result,
    binary_choice,
    dynamic_gmm,
    fixed_effects,
    generalised_spatial_three_stage,
    heckman,
    instrumental_variables,
    spatial_three_stage,
    spatial_weights,
    tobit,
)
from analysis.measures.components import principal_component_index
from analysis.measures.decomposition import decompose_change
from analysis.measures.frontier import stochastic_frontier
from analysis.measures.industry_productivity import elasticities
from analysis.measures.innovation import innovation_efficiency
from analysis.measures.market import CATEGORY_SETS, market_integration
from analysis.measures.quality import quality_of_cells
from analysis.measures.relatedness import relatedness_density


def innovation() -> Iterable[float]:
    draw = np.random.default_rng(4)
    rows = pd.DataFrame(
        {"city": np.repeat(np.arange(60), 5), "year": np.tile(np.arange(2011, 2016), 60)}
    )
    rows["money"], rows["people"] = (
        draw.lognormal(sigma=0.8, size=300) * 1e8,
        draw.lognormal(sigma=0.8, size=300) * 1e3,
    )
    good = np.sqrt(rows["money"] * rows["people"]) * np.exp(
        draw.normal(0, 0.1, 300) - np.abs(draw.normal(0, 0.5, 300))
    )
    rows["patents"], rows["contracts"] = good, good / 7 * draw.lognormal(sigma=0.2, size=300)
    found = innovation_efficiency(
        rows, ["money", "people"], ["patents", "contracts"], unit="city", period="year"
    )
    return [*found["frontier"], *found["envelopment"]]


def frontier() -> Iterable[float]:
    """Inefficiency that decays, truncated normal: every part of the likelihood."""
    draw = np.random.default_rng(3)
    city, year = np.repeat(np.arange(60), 6), np.tile(np.arange(6), 60)
    u = np.exp(-0.05 * (year - 5)) * np.abs(draw.normal(0.3, 0.4, 60))[city]
    x = draw.normal(size=360)
    frame = pd.DataFrame(
        {"city": city, "year": year, "x": x, "y": 1 + 0.6 * x - u + draw.normal(0, 0.1, 360)}
    )
    options = {"unit": "city", "period": "year", "decay": True, "distribution": "half_normal"}
    return stochastic_frontier(frame, "y", ["x"], **options).coefficients


def component() -> Iterable[float]:
    draw = np.random.default_rng(2)
    common = draw.normal(size=(700, 1))
    frame = pd.DataFrame(common + draw.normal(size=(700, 7)), columns=list("abcdefg"))
    return principal_component_index(frame, list(frame.columns)).index


def relatedness() -> Iterable[float]:
    draw = np.random.default_rng(1)
    keys = pd.MultiIndex.from_product(
        [range(60), (2008, 2012), range(200)], names=["city", "year", "product"]
    )
    frame = keys.to_frame(index=False).assign(value=draw.lognormal(sigma=2, size=len(keys)))
    kept = frame[draw.random(len(frame)) < 0.6]
    return relatedness_density(
        kept, unit="city", period="year", product="product", value="value", base=[2008]
    )["density"]


def productivity() -> Iterable[float]:
    draw = np.random.default_rng(5)
    w, k, rows = draw.normal(0, 0.3, 150), draw.normal(5, 1.2, 150), []
    for year in range(2000, 2006):
        investment, labour = k - 2.2 + 0.8 * w, 2 + 0.4 * k + 0.5 * w + draw.normal(0, 0.4, 150)
        output = 0.55 * labour + 0.3 * k + w + draw.normal(0, 0.1, 150)
        rows.append(
            pd.DataFrame(
                {
                    "firm_id": np.arange(150), "year": year, "industry_code": "17",
                    "ln_value_added": output, "ln_employees": labour,
                    "ln_capital": k, "ln_intermediate_input": 0.5 * k + 1.3 * w,
                    "ln_investment": investment,
                }
            )
        )  # fmt: skip
        k, w = np.log(0.91 * np.exp(k) + np.exp(investment)), 0.7 * w + draw.normal(0, 0.2, 150)
    found = elasticities(pd.concat(rows, ignore_index=True))
    return [*found["labour_elasticity"], *found["capital_elasticity"]]


def quality() -> Iterable[float]:
    draw = np.random.default_rng(6)
    n = 20_000
    cells = pd.DataFrame(
        {
            "firm_id": draw.integers(0, 400, n),
            "city_id": 1100,
            "hs6_id": 10_000 + draw.integers(0, 40, n),
        }
    )
    cells["destination_id"], cells["year"] = draw.integers(0, 30, n), 2000 + draw.integers(0, 5, n)
    cells["unit_value_usd"], cells["quantity"] = (
        draw.lognormal(size=n),
        draw.lognormal(sigma=2, size=n),
    )
    cells = cells.assign(value_cents=1, ordinary_cents=1, processing_cents=0)
    products = pd.DataFrame({"hs6_id": 10_000 + np.arange(40), "sigma": 1.5 + draw.random(40)})
    provinces = pd.DataFrame(
        {
            "province_code": "11",
            "year": range(2000, 2005),
            "province_gdp_cny_2000": draw.lognormal(size=5),
        }
    )
    both = [
        quality_of_cells(cells, products, provinces, kind) for kind in ("published", "estimated")
    ]
    return np.concatenate([found["quality_index"].to_numpy() for found in both])


def market() -> Iterable[float]:
    draw = np.random.default_rng(7)
    keys = pd.MultiIndex.from_product(
        [[f"{1100 + i}" for i in range(40)], (2010, 2011), CATEGORY_SETS[0]]
    )
    prices = keys.to_frame(index=False, name=["city_code", "year", "category"])
    prices["index_pct"] = 100 + draw.normal(size=len(prices))
    neighbours = pd.DataFrame(
        {
            "city_code": [f"{1100 + i}" for i in range(39)],
            "neighbour_code": [f"{1101 + i}" for i in range(39)],
        }
    )
    found = market_integration(prices, neighbours)
    return found.filter(like="_index").to_numpy().ravel()


def decomposition() -> Iterable[float]:
    draw = np.random.default_rng(8)
    frame = pd.DataFrame(
        {
            "city": draw.integers(0, 9, 900),
            "year": 2000 + draw.integers(0, 3, 900),
            "item": draw.integers(0, 90, 900),
        }
    )
    frame = frame.drop_duplicates().assign(
        weight=lambda f: draw.lognormal(size=len(f)), value=lambda f: draw.normal(size=len(f))
    )
    return (
        decompose_change(frame, ["city"], "item", "weight", "value")
        .select_dtypes("float64")
        .to_numpy()
        .ravel()
    )


def panel() -> pd.DataFrame:
    draw = np.random.default_rng(9)
    n = 60 * 8
    frame = pd.DataFrame(
        {"city": np.repeat(np.arange(60), 8), "year": np.tile(np.arange(2010, 2018), 60)}
    )
    x, z, e = draw.normal(size=(3, n))
    frame = frame.assign(x=x + 0.5 * e, z=z, w=z + x + draw.normal(size=n))
    frame["y"] = 1e9 * (frame["x"] + 2 * z + e + np.repeat(draw.normal(size=60), 8))
    frame["cut"], frame["seen"] = (
        frame["y"].clip(lower=0),
        frame["y"].where(z + draw.normal(size=n) > 0),
    )
    return frame.assign(is_large=(frame["y"] > 0).astype(int))


def estimates() -> dict[str, Callable[[], Result]]:
    """By name; the outcome is in units of a billion."""
    frame = panel()
    ring = spatial_weights(
        np.roll(np.eye(60), 1, axis=0) + np.roll(np.eye(60), -1, axis=0), range(60)
    )
    nets = {"one": ("y", ["x", "z"])}
    return {
        "tobit": lambda: tobit(frame, "cut", ["x", "z"], covariance={"cluster": ["city"]}),
        "heckman": lambda: heckman(frame, "seen", ["x"], ["x", "z"], estimator="ml"),
        "logit": lambda: binary_choice(frame, "is_large", ["x", "z"]),
        "probit": lambda: binary_choice(frame, "is_large", ["x", "z"], "probit"),
        "spatial system": lambda: spatial_three_stage(frame, nets, ring, unit="city", time="year"),
        "spatial errors": lambda: generalised_spatial_three_stage(
            frame,
            nets,
            ring,
            unit="city",
            time="year",
        ),
        "fixed effects": lambda: fixed_effects(
            frame, "y", ["x", "z"], ["city", "year"], covariance={"cluster": ["city"]}
        ),
        "instruments": lambda: instrumental_variables(frame, "y", ["z"], ["x"], ["w"]),
        "dynamic": lambda: dynamic_gmm(
            frame,
            "y",
            [Lag("y", 1), "x"],
            [GMM("y", (2, 4)), GMM("x", (1, 3))],
            unit="city",
            time="year",
        ),
    }


MEASURES = (
    innovation,
    frontier,
    component,
    relatedness,
    productivity,
    quality,
    market,
    decomposition,
)


def figures() -> dict[str, list[str]]:
    """By name, measures first; estimates are coefficients, then standard errors."""
    found = {each.__name__: [float(value).hex() for value in each()] for each in MEASURES}
    for name, estimate in estimates().items():
        result = estimate()
        found[f"estimate: {name}"] = [
            float(value).hex() for value in (*result.coefficients, *result.standard_errors)
        ]
    return found


if __name__ == "__main__":
    print(json.dumps(figures()))
