"""The fits that panel regressions and the tests between them rest on: rows, transformations, least
squares, and the variances of random effects. The formulas stand in `panel`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.estimators.core.algebra import (
    clustered,
    independent_columns,
    least_squares,
    refuse_dependent,
)
from analysis.estimators.core.columns import rows
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.groups import Group
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import PanelSmall, Where, columns_of
from analysis.estimators.core.sample import Sample, Taking, read_sample
from analysis.estimators.core.sums import means_by


@dataclass(frozen=True, eq=False)
class PanelData:
    """What a panel regression computes from: outcome and regressors of the sample's rows, and who
    they belong to.
    """

    sample: Sample
    y: np.ndarray  # (N,)
    x: np.ndarray  # (N, k) without the constant
    terms: tuple[str, ...]
    unit: Group
    time: Group
    units: pd.Index
    periods: pd.Index

    @property
    def counts(self) -> np.ndarray:
        """Rows by unit."""
        return np.bincount(self.unit[0])

    def within(self, columns: np.ndarray) -> np.ndarray:
        """Columns less the means of their unit."""
        return Effects([self.unit]).out(columns)

    def means(self, columns: np.ndarray) -> np.ndarray:
        """Means (units, m) of columns (N, m)."""
        return means_by(self.unit, columns)


@dataclass(frozen=True)
class Fit:
    """A least-squares fit on transformed data, with the design it came from."""

    coefficients: np.ndarray
    inverse: np.ndarray
    residuals: np.ndarray
    x: np.ndarray
    df: int

    @property
    def variance(self) -> float:
        return float(self.residuals @ self.residuals) / self.df


def panel_data(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    unit: str,
    time: str,
    *,
    clusters: Sequence[str] = (),
    period_dummies: bool = False,
    where: Where | None = None,
) -> PanelData:
    """Check, drop incomplete rows, sort by unit and time.

    Raises
    ------
    ValueError : see panel_regression.
    """
    given = columns_of("regressors", regressors, outcome=outcome)
    sample = read_sample(
        frame,
        [outcome, *given],
        (unit, time),
        clusters,
        keys=(unit, time),
        where=where,
        how=Taking(levels=(unit, time)),
    )
    x, terms, periods = sample.columns[:, 1:], tuple(given), sample.levels[time]
    if period_dummies:
        x = np.column_stack([x, np.eye(len(periods))[sample.groups[time][0]][:, 1:]])
        terms += tuple(f"{time}={period}" for period in periods[1:])
    return PanelData(
        sample,
        sample.column(0),
        x,
        terms,
        sample.groups[unit],
        sample.groups[time],
        sample.levels[unit],
        periods,
    )


def pooled_fit(data: PanelData) -> Fit:
    return fit_on(
        data.y, np.column_stack([np.ones(len(data.y)), data.x]), (CONSTANT, *data.terms), ""
    )


def within_fit(data: PanelData) -> Fit:
    """Without the constant; its degrees of freedom count the units."""
    moved = data.within(np.column_stack([data.y, data.x]))
    if np.linalg.norm(moved[:, 0]) <= 1e-9 * np.linalg.norm(data.y):
        raise ValueError(
            "the outcome does not vary inside units, whose effects take it out: compare the units'"
            " means, by model = 'between'."
        )
    still = np.linalg.norm(moved[:, 1:], axis=0) <= 1e-9 * np.linalg.norm(data.x, axis=0)
    if still.any():
        named = ", ".join(term for term, flat in zip(data.terms, still, strict=True) if flat)
        raise ValueError(
            f"{named} does not vary inside units, whose effects take it out. Leave it out, or"
            " estimate random effects."
        )
    return fit_on(
        moved[:, 0],
        moved[:, 1:],
        data.terms,
        " once the effects of units are taken out",
        len(data.units),
    )


def between_fit(data: PanelData) -> Fit:
    means = data.means(np.column_stack([data.y, data.x]))
    return fit_on(
        means[:, 0],
        np.column_stack([np.ones(len(means)), means[:, 1:]]),
        (CONSTANT, *data.terms),
        " in the means of units",
    )


def random_weights(data: PanelData) -> tuple[float, float, np.ndarray]:
    """sigma_u, sigma_e, and the share theta (units,) of its mean that random effects take out of
    each unit: 1 - sigma_e / sqrt(T_i sigma_u^2 + sigma_e^2).
    """
    sigma_u, sigma_e = variance_components(data)
    return sigma_u, sigma_e, 1 - sigma_e / np.sqrt(data.counts * sigma_u**2 + sigma_e**2)


def random_fit(data: PanelData, theta: np.ndarray) -> Fit:
    x = np.column_stack([np.ones(len(data.y)), data.x])
    means = data.means(np.column_stack([data.y, x]))[data.unit[0]]
    t = theta[data.unit[0]][:, None]
    moved = np.column_stack([data.y, x]) - t * means
    return fit_on(moved[:, 0], moved[:, 1:], (CONSTANT, *data.terms), " once quasi-demeaned")


def fit_on(y: np.ndarray, x: np.ndarray, terms: Sequence[str], where: str, extra: int = 0) -> Fit:
    """Least squares, after refusing what the rows cannot carry."""
    refuse_dependent(x, terms, where)
    df = len(y) - x.shape[1] - extra
    if df < 1:
        raise ValueError(
            f"{rows(len(y))}{where} cannot carry {x.shape[1]}"
            f" coefficients{f' and {extra} effects' if extra else ''}."
        )
    b, e, inverse = least_squares(y, x)
    return Fit(b, inverse, e, x, df)


def varying(data: PanelData) -> np.ndarray:
    """Which regressors vary inside units and are not combinations of others there: boolean (k,)."""
    moved = data.within(data.x)
    moved[:, np.linalg.norm(moved, axis=0) <= 1e-9 * np.linalg.norm(data.x, axis=0)] = 0.0
    return independent_columns(moved)


def select(data: PanelData, which: np.ndarray) -> PanelData:
    """The same rows with some of the regressors."""
    return replace(
        data,
        x=data.x[:, which],
        terms=tuple(term for term, keep in zip(data.terms, which, strict=True) if keep),
    )


def variance_components(data: PanelData) -> tuple[float, float]:
    """sigma_u and sigma_e of random effects; regressors that are constant inside units count in the
    between regression only.
    """
    n, counts = len(data.units), data.counts
    inside = varying(data)
    if not inside.any():
        moved = data.within(data.y)
        s2_e = float(moved @ moved) / (len(data.y) - n)
    else:
        s2_e = within_fit(select(data, inside)).variance
    means = data.means(np.column_stack([data.y, data.x]))
    x = np.column_stack([np.ones(n), means[:, 1:]])
    # Period dummies repeat the constant in the means of a balanced panel: the between regression
    # keeps what is independent.
    x = x[:, independent_columns(x)]
    k = x.shape[1]
    if n <= k:
        raise ValueError(
            f"{n} units cannot carry a between regression of {k} coefficients: random effects need"
            " more units than regressors."
        )
    _, e, _ = least_squares(means[:, 0], x)
    s2_u = float(e @ e) / (n - k) - s2_e * float((1 / counts).mean())
    return max(0.0, s2_u) ** 0.5, s2_e**0.5


def clustered_covariance(fit: Fit, group: Group, small: PanelSmall) -> np.ndarray:
    """Sandwich of a fit with its small-sample factor.

    Raises
    ------
    ValueError : one cluster only.
    """
    (n, k), g = fit.x.shape, group[1]
    if g < 2:
        raise ValueError(
            "the sample has one cluster only: clustered standard errors need at least two."
        )
    factor = {"none": 1.0, "HC1": n / (n - k), "sss": g / (g - 1) * (n - 1) / (n - k)}[small]
    return factor * clustered(fit.x, fit.residuals, fit.inverse, group)
