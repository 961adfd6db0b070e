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
from functools import cached_property
from time import perf_counter

import numpy as np
import pandas as pd
from scipy import sparse

from analysis.estimators.core.algebra import in_given_order
from analysis.estimators.core.columns import left_out, rows
from analysis.estimators.core.options import (
    Alternative,
    LocalVariance,
    PooledMean,
    Where,
    checked,
    level_of,
)
from analysis.estimators.core.result import Report, glance_frame, tidy_frame
from analysis.estimators.spatial.autocorrelation import (
    deviations,
    global_statistics,
    local_statistics,
)
from analysis.estimators.spatial.sample import SpatialSample, spatial_sample, weights_phrase
from analysis.estimators.spatial.weights import SpatialWeights

QUADRANTS = {
    (True, True): "high-high",
    (False, True): "low-high",
    (False, False): "low-low",
    (True, False): "high-low",
}
POOLED = "pooled"


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
            tested=(table[f"{prefix}z_random"].to_numpy(), table[f"{prefix}p_random"].to_numpy()),
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
        draws = (
            f"; {self.permutations:,} permutations with seed {self.seed}"
            if self.permutations
            else ""
        )
        what = f"Moran's I and Geary's C of {self.variable}, {rows(len(self.sample))} ({levels})"
        how = f"{self.weights}; p {self.alternative}{draws}"
        return f"{what}; {how}; left out: {left_out(self.dropped)}."


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
    seen = _Seen(variable, time, x, sample.w, periods)
    table = seen.statistics(pooled_mean, alternative, permutations, np.random.default_rng(seed))
    keys = _keys(sample, unit, time)
    scatter = _scatter(sample, x, periods, pooled_mean, keys)
    return MoranResult(
        variable=variable,
        statistics=pd.DataFrame.from_dict(table, orient="index").rename_axis(time or "sample"),
        local=_as_given(pd.concat([keys, seen.local(local_variance)], axis=1), sample),
        scatter=_as_given(scatter, sample),
        slope=_slopes(scatter, sample, periods, time),
        alternative=alternative,
        permutations=permutations,
        seed=seed if permutations else None,
        groups=sample.groups(unit, time),
        weights=weights_phrase(weights, sample),
        **sample.fields(),
        seconds=perf_counter() - began,
    )


@dataclass(frozen=True)
class _Seen:
    """The variable x (n,) with weights w (n, n), rows by period."""

    name: str
    time: str | None
    x: np.ndarray
    w: sparse.csr_array
    periods: Mapping[object, slice]

    @cached_property
    def blocks(self) -> dict[object, tuple[np.ndarray, sparse.csr_array]]:
        """By period the deviations from its mean, and the weights inside it."""
        found = {}
        for label, span in self.periods.items():
            name = f"{self.name} in {self.time} {label}" if self.time else self.name
            w = sparse.csr_array(self.w[span][:, span])
            found[label] = deviations(self.x[span], name), w
        return found

    def statistics(
        self, mean: PooledMean, alternative: Alternative, draws: int, draw: np.random.Generator
    ) -> dict[object, dict[str, float]]:
        """By period and, in a panel, of all rows; permutations are drawn in that order."""
        asked = alternative, draws, draw
        table = {
            label: global_statistics(z, w, [slice(0, len(z))], *asked)
            for label, (z, w) in self.blocks.items()
        }
        if self.time:
            apart = np.concatenate([z for z, _ in self.blocks.values()])
            z = self.x - self.x.mean() if mean == "all" else apart
            table[POOLED] = global_statistics(z, self.w, list(self.periods.values()), *asked)
        return table

    def local(self, how: LocalVariance) -> pd.DataFrame:
        pieces = [local_statistics(z, w, how) for z, w in self.blocks.values()]
        return pd.concat(pieces, ignore_index=True)


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
