"""Spatial autocorrelation: Moran's I (global and local) and Geary's C, by period and pooled over a
panel.

With z = x - mean(x), S0 = sum w_ij, S1 = sum (w_ij + w_ji)^2 / 2, S2 = sum_i (w_i. + w_.i)^2 and n
units,

    I = n/S0 * z'Wz / z'z              expectation -1/(n-1)
    C = (n-1)/(2 S0) * sum w_ij (z_i - z_j)^2 / z'z      expectation 1
    I_i = z_i (Wz)_i / (z'z/n)         sum I_i / S0 = I

with variances under normality and under randomisation (Cliff and Ord 1981, Spatial Processes,
chapter 2; Anselin 1995, Geographical Analysis 27, and Sokal, Oden and Thomson 1998, Geographical
Analysis 30, for the local ones). Numbers equal R's spdep: as there, units without a neighbour count
neither in n nor in S0, but their values do in the mean and in z'z.

A panel's pooled statistic stacks the periods, with W block diagonal; its z are deviations from the
mean of all rows, or of the row's period.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse, stats

from analysis.estimators.core.algebra import in_given_order
from analysis.estimators.core.columns import rows
from analysis.estimators.core.options import (
    Alternative,
    LocalVariance,
    PooledMean,
    Where,
    checked,
    level_of,
)
from analysis.estimators.core.result import Report, glance_frame, tidy_frame
from analysis.estimators.spatial.sample import SpatialSample, spatial_sample, weights_phrase
from analysis.estimators.spatial.weights import SpatialWeights

QUADRANTS = {
    (True, True): "high-high",
    (False, True): "low-high",
    (False, False): "low-low",
    (True, False): "high-low",
}
POOLED = "pooled"


class Sums(NamedTuple):
    n: int
    s0: float
    s1: float
    s2: float


@dataclass(frozen=True, eq=False, kw_only=True)
class MoranResult(Report):
    """Spatial autocorrelation of one variable.

    Attributes
    ----------
    statistics : a row a period (and "pooled" in a panel): n, moran_i, expected_i, variance_normal,
        z_normal, p_normal,
        variance_random, z_random, p_random, p_permutation (NaN without permutations), geary_c and
        the same of it
    local : a row a row of the sample: unit, (time,) moran_i, expected, variance, z, p; p is
        two-sided
    scatter : a row a row of the sample: unit, (time,) z (standardised value), w_z (its lag),
        quadrant
    slope : of the regression of w_z on z, by period; with rows that sum to one it is Moran's I
    """

    variable: str
    statistics: pd.DataFrame
    local: pd.DataFrame
    scatter: pd.DataFrame
    slope: pd.Series
    alternative: Alternative
    permutations: int
    seed: int | None
    groups: Mapping[str, int]
    dropped: Mapping[str, int]
    sample: pd.Index
    islands: int
    weights: str
    seconds: float

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """A row a period and statistic: equation "moran_i" or "geary_c", with the standard error,
        z and p under randomisation; no interval, since these are errors under no autocorrelation.
        """
        level_of(level)
        return pd.concat([self._rows("moran_i", ""), self._rows("geary_c", "geary_")])

    def _rows(self, name: str, prefix: str) -> pd.DataFrame:
        table = self.statistics
        nothing = np.full(len(table), np.nan)
        return tidy_frame(
            name,
            [str(label) for label in table.index],
            table[name].to_numpy(),
            np.sqrt(table[f"{prefix}variance_random"].to_numpy()),
            statistic=table[f"{prefix}z_random"].to_numpy(),
            p_value=table[f"{prefix}p_random"].to_numpy(),
            interval=(nothing, nothing),
        )

    def glance(self) -> pd.DataFrame:
        """One row: rows, groups, islands and permutations."""
        counts = {"islands": self.islands, "permutations": self.permutations}
        whole = {"method": "spatial autocorrelation", "outcome": self.variable}
        return glance_frame(whole | {"nobs": len(self.sample)} | counts, self.groups, {})

    def note(self) -> str:
        """One sentence: what was computed, on which rows, with which weights, and what was left
        out.
        """
        levels = ", ".join(f"{count:,} {name}" for name, count in self.groups.items())
        left_out = (
            "; ".join(f"{rows(count)} ({reason})" for reason, count in self.dropped.items())
            or "no rows"
        )
        draws = (
            f"; {self.permutations:,} permutations with seed {self.seed}"
            if self.permutations
            else ""
        )
        what = f"Moran's I and Geary's C of {self.variable}, {rows(len(self.sample))} ({levels})"
        return f"{what}; {self.weights}; p {self.alternative}{draws}; left out: {left_out}."


def moran(
    frame: pd.DataFrame,
    variable: str,
    weights: SpatialWeights,
    *,
    unit: str = "city_code",
    time: str | None = None,
    where: Where | None = None,
    alternative: Alternative = "two-sided",
    pooled_mean: PooledMean = "all",
    local_variance: LocalVariance = "conditional",
    permutations: int = 0,
    seed: int = 0,
) -> MoranResult:
    """Moran's I and Geary's C of a column.

    Parameters
    ----------
    frame : one row a unit (and period); nothing in it is modified
    weights : of spatial_weights(); applied period by period
    where : rows to compute on, a column or a mask; neighbours are those among them
    alternative : of the p-values of Moran's I and (its sense turned round, since C falls with
        autocorrelation) Geary's C
    permutations, seed : random rearrangements of the values among the units of each period, for
        p_permutation =
        (1 + draws at least as extreme) / (1 + draws); the same seed gives the same p whatever the
        order of rows
    pooled_mean : what z of the pooled statistic and the scatter is measured from
    local_variance : "conditional" on the unit's own value (spdep since 1.2), or "total"

    Raises
    ------
    ValueError : unknown columns or units, duplicate keys, a variable that does not vary in a
        period, fewer than four units.
    """
    began = perf_counter()
    checked("alternative", alternative, Alternative)
    checked("pooled_mean", pooled_mean, PooledMean)
    checked("local_variance", local_variance, LocalVariance)
    sample = spatial_sample(frame, [variable], weights, unit, time, where)
    x = sample.values[variable].to_numpy()
    periods = dict(zip(sample.levels["time"], sample.periods(), strict=True))
    table, pieces = {}, []
    draw = np.random.default_rng(seed)
    for label, block in periods.items():
        w = sparse.csr_array(sample.w[block][:, block])
        z = _deviations(x[block], f"{variable} in {time} {label}" if time else variable)
        table[label] = _global(z, w, [slice(0, len(z))], alternative, permutations, draw)
        pieces.append(_local(z, w, local_variance))
    centred = (
        x - x.mean()
        if pooled_mean == "all"
        else np.concatenate([x[block] - x[block].mean() for block in periods.values()])
    )
    if time:
        table[POOLED] = _global(
            centred, sample.w, list(periods.values()), alternative, permutations, draw
        )
    keys = _keys(sample, unit, time)
    scatter = _scatter(sample, x, periods, pooled_mean, keys)
    return MoranResult(
        variable=variable,
        statistics=pd.DataFrame.from_dict(table, orient="index").rename_axis(time or "sample"),
        local=_as_given(pd.concat([keys, pd.concat(pieces, ignore_index=True)], axis=1), sample),
        scatter=_as_given(scatter, sample),
        slope=_slopes(scatter, sample, periods, time),
        alternative=alternative,
        permutations=permutations,
        seed=seed if permutations else None,
        groups=sample.groups(unit, time),
        dropped=sample.dropped,
        sample=sample.labels,
        islands=sample.islands,
        weights=weights_phrase(weights, sample),
        warnings=sample.warnings(),
        seconds=perf_counter() - began,
    )


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


def _deviations(x: np.ndarray, name: str) -> np.ndarray:
    z = x - x.mean()
    if len(x) < 4 or not (np.abs(z).max() > 1e-12 * np.abs(x).max()):
        raise ValueError(
            f"{name} has {len(x)} units and {len(np.unique(x))} different values: Moran's I needs"
            " four units and some variation."
        )
    return z


def _global(
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
    if variance <= 0:
        return {
            f"{prefix}variance_{name}": variance,
            f"{prefix}z_{name}": float("nan"),
            f"{prefix}p_{name}": float("nan"),
        }
    z = distance / variance**0.5
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


def _local(z: np.ndarray, w: sparse.csr_array, how: str) -> pd.DataFrame:
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


def _keys(sample: SpatialSample, unit: str, time: str | None) -> pd.DataFrame:
    keys = {unit: sample.levels["unit"][sample.codes["unit"]]}
    if time:
        keys[time] = sample.levels["time"][sample.codes["time"]]
    return pd.DataFrame({name: np.asarray(values) for name, values in keys.items()})


def _scatter(
    sample: SpatialSample,
    x: np.ndarray,
    periods: Mapping[object, slice],
    mean: str,
    keys: pd.DataFrame,
) -> pd.DataFrame:
    """z in standard deviations (over n) and its lag; quadrants by the signs, zero counting
    as high.
    """
    spans = [slice(0, len(x))] if mean == "all" else list(periods.values())
    z = np.concatenate([(x[span] - x[span].mean()) / x[span].std() for span in spans])
    lag = sample.lag(z)
    quadrant = [QUADRANTS[bool(a), bool(b)] for a, b in zip(z >= 0, lag >= 0, strict=True)]
    return keys.assign(z=z, w_z=lag, quadrant=quadrant)


def _slopes(
    scatter: pd.DataFrame, sample: SpatialSample, periods: Mapping[object, slice], time: str | None
) -> pd.Series:
    spans: dict[object, slice] = {**periods, **({POOLED: slice(0, len(scatter))} if time else {})}
    z, lag = scatter["z"].to_numpy(), scatter["w_z"].to_numpy()
    found = {}
    for label, span in spans.items():
        off = z[span] - z[span].mean()
        found[label] = float(off @ lag[span] / (off @ off))
    return pd.Series(found, name="slope")


def _as_given(table: pd.DataFrame, sample: SpatialSample) -> pd.DataFrame:
    """Rows in the order and with the index labels of the frame given."""
    return table.iloc[in_given_order(np.arange(len(sample.order)), sample.order)].set_axis(
        sample.labels, axis=0
    )
