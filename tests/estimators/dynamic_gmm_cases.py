"""A dynamic panel with a known truth, one call on it, and its estimates as sums written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.gmm import GMM, IV, DynamicGMMResult


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
