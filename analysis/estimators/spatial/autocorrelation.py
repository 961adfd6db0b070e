"""Moran's I and Geary's C of deviations z (n,) with weights w (n, n): expectations, variances,
permutations. Formulas and sources stand in `moran`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse, stats

from analysis.estimators.core.options import Alternative


class Sums(NamedTuple):
    n: int
    s0: float
    s1: float
    s2: float


def sums_of(w: sparse.csr_array) -> Sums:
    """n (units with a neighbour), S0, S1 and S2 of weights."""
    both = sparse.csr_array(w + w.T)
    lines = np.asarray(w.sum(axis=1)).ravel() + np.asarray(w.sum(axis=0)).ravel()
    return Sums(
        int((np.diff(w.indptr) > 0).sum()),
        float(w.sum()),
        float((both.data**2).sum()) / 2,
        float((lines**2).sum()),
    )


def moran_variances(sums: Sums, kurtosis: float) -> tuple[float, float]:
    """Variance of I under normality and under randomisation; kurtosis is n sum z^4 / (sum
    z^2)^2.
    """
    n, s0, s1, s2 = sums
    square = 1 / (n - 1) ** 2
    normal = (n**2 * s1 - n * s2 + 3 * s0**2) / (s0**2 * (n**2 - 1)) - square
    top = n * (s1 * (n**2 - 3 * n + 3) - n * s2 + 3 * s0**2) - kurtosis * (
        s1 * (n**2 - n) - 2 * n * s2 + 6 * s0**2
    )
    return normal, top / ((n - 1) * (n - 2) * (n - 3) * s0**2) - square


def geary_variances(sums: Sums, kurtosis: float) -> tuple[float, float]:
    """Variance of C under normality and under randomisation."""
    n, s0, s1, s2 = sums
    normal = ((2 * s1 + s2) * (n - 1) - 4 * s0**2) / (2 * (n + 1) * s0**2)
    top = (n - 1) * s1 * (n**2 - 3 * n + 3 - (n - 1) * kurtosis) - (n - 1) * s2 * (
        n**2 + 3 * n - 6 - (n**2 - n + 2) * kurtosis
    ) / 4
    top += s0**2 * (n**2 - 3 - (n - 1) ** 2 * kurtosis)
    return normal, top / (n * (n - 2) * (n - 3) * s0**2)


def deviations(x: np.ndarray, name: str) -> np.ndarray:
    z = x - x.mean()
    if len(x) < 4 or not (np.abs(z).max() > 1e-12 * np.abs(x).max()):
        raise ValueError(
            f"{name} has {len(x)} units and {len(np.unique(x))} different values: Moran's I needs"
            " four units and some variation."
        )
    return z


def global_statistics(
    z: np.ndarray,
    w: sparse.csr_array,
    blocks: list[slice],
    alternative: Alternative,
    draws: int,
    draw: np.random.Generator,
) -> dict[str, float]:
    sums = sums_of(w)
    if sums.n < 4:
        raise ValueError(f"only {sums.n} units have a neighbour: Moran's I needs four.")
    total = float(z @ z)
    kurtosis = len(z) * float((z**4).sum()) / total**2
    i = sums.n / sums.s0 * float(z @ (w @ z)) / total
    # sum w_ij (z_i - z_j)^2, without the differences of all pairs
    lines, columns = np.asarray(w.sum(axis=1)).ravel(), np.asarray(w.sum(axis=0)).ravel()
    c = (sums.n - 1) / (2 * sums.s0) * float((lines + columns) @ z**2 - 2 * (z @ (w @ z))) / total
    row: dict[str, float] = {"n": sums.n, "moran_i": i, "expected_i": -1 / (sums.n - 1)}
    for name, variance in zip(("normal", "random"), moran_variances(sums, kurtosis), strict=True):
        row |= _tested("", name, i - row["expected_i"], variance, alternative)
    row["p_permutation"] = (
        _permuted(z, w, blocks, alternative, draws, draw) if draws else float("nan")
    )
    row["geary_c"] = c
    for name, variance in zip(("normal", "random"), geary_variances(sums, kurtosis), strict=True):
        row |= _tested("geary_", name, 1 - c, variance, alternative)
    return row


def _tested(
    prefix: str, name: str, distance: float, variance: float, alternative: Alternative
) -> dict[str, float]:
    z = distance / variance**0.5 if variance > 0 else float("nan")
    p = {
        "greater": stats.norm.sf(z),
        "less": stats.norm.cdf(z),
        "two-sided": 2 * stats.norm.sf(abs(z)),
    }[alternative]
    return {
        f"{prefix}variance_{name}": variance,
        f"{prefix}z_{name}": z,
        f"{prefix}p_{name}": float(p),
    }


def _permuted(
    z: np.ndarray,
    w: sparse.csr_array,
    blocks: list[slice],
    alternative: Alternative,
    draws: int,
    draw: np.random.Generator,
) -> float:
    """Only z'Wz changes from draw to draw, so it stands for I. Two-sided: twice the smaller tail,
    at most one.
    """
    observed = float(z @ (w @ z))
    above = below = 0
    done = 0
    while done < draws:
        batch = min(draws - done, max(1, 4_000_000 // len(z)))
        shuffled = np.vstack(
            [draw.permuted(np.tile(z[block][:, None], (1, batch)), axis=0) for block in blocks]
        )
        values = (shuffled * (w @ shuffled)).sum(axis=0)
        slack = 1e-12 * abs(observed)
        above += int((values >= observed - slack).sum())
        below += int((values <= observed + slack).sum())
        done += batch
    greater, less = (1 + above) / (1 + draws), (1 + below) / (1 + draws)
    return {"greater": greater, "less": less, "two-sided": min(1.0, 2 * min(greater, less))}[
        alternative
    ]


def local_statistics(z: np.ndarray, w: sparse.csr_array, how: str) -> pd.DataFrame:
    """I_i with expectation and variance; spdep's localmoran."""
    n = len(z)
    m2 = float(z @ z) / n
    i = z * (w @ z) / m2
    line, squares = np.asarray(w.sum(axis=1)).ravel(), np.asarray((w**2).sum(axis=1)).ravel()
    if how == "conditional":
        expected = -(z**2) * line / ((n - 1) * m2)
        variance = (
            (z / m2) ** 2 * (n / (n - 2)) * (squares - line**2 / (n - 1)) * (m2 - z**2 / (n - 1))
        )
    else:
        b2 = float((z**4).sum()) / n / m2**2
        expected = -line / (n - 1)
        variance = (
            (n - b2) / (n - 1) * squares
            + (2 * b2 - n) / ((n - 1) * (n - 2)) * (line**2 - squares)
            - (line / (n - 1)) ** 2
        )
    # A unit without neighbours, or one that neighbours all others alike, has a certain I_i: no test
    # of it.
    sure = variance <= 1e-14 * max(1.0, float(np.abs(i).max()))
    score = np.where(sure, np.nan, (i - expected) / np.sqrt(np.where(sure, 1.0, variance)))
    return pd.DataFrame(
        {
            "moran_i": i,
            "expected": expected,
            "variance": variance,
            "z": score,
            "p": 2 * stats.norm.sf(np.abs(score)),
        }
    )
