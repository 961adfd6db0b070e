"""An index from the first principal component of indicators, with the two usual tests of whether
indicators share one.

The correlations and their eigenvectors are those of `plain`: the same bits on every processor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from analysis.measures import plain, samples
from analysis.measures.weights import usable_indicators

# A correlation matrix whose smallest eigenvalue is below this has no inverse to speak of.
SINGULAR = 1e-10


@dataclass(frozen=True, eq=False, kw_only=True)
class ComponentIndex:
    """The index that the kept components of indicators make.

    Attributes
    ----------
    index : for every row of the frame, the kept components' scores weighted by their shares of the
        variance; NaN where a row was left out
    loadings : (indicators, kept) directions of unit length, each adding up to a positive number; 0
        for an indicator under `problems`
    eigenvalues : of the correlation matrix, largest first
    shares : eigenvalues over their sum
    kmo : Kaiser's measure of sampling adequacy, 0-1; NaN where correlations have no inverse
    bartlett, bartlett_df, bartlett_p : the test that indicators are uncorrelated (Bartlett 1951),
        its degrees of freedom and p-value
    problems : indicator -> why it was left out
    dropped : reason -> rows
    n : rows used
    """

    index: pd.Series
    loadings: pd.DataFrame
    eigenvalues: pd.Series
    shares: pd.Series
    kmo: float
    bartlett: float
    bartlett_df: int
    bartlett_p: float
    problems: Mapping[str, str]
    dropped: Mapping[str, int]
    n: int

    def note(self) -> str:
        """One sentence: how much the index holds, and of which rows."""
        kept = self.loadings.shape[1]
        held = 100 * float(self.shares.iloc[:kept].sum())
        return (
            f"{kept} component{'' if kept == 1 else 's'} with {held:.1f} % of the variance over"
            f" {samples.rows(self.n)}, KMO {self.kmo:.3f}."
        )


def principal_component_index(
    frame: pd.DataFrame, columns: Sequence[str], *, keep: int = 1
) -> ComponentIndex:
    """First principal component of standardised indicators (R's prcomp with scale. = TRUE), turned
    so that more is better.

    z_ij = (x_ij - mean_j) / sd_j with n - 1 below; score_ik = sum_j z_ij v_jk with v_k the k-th
    eigenvector of the correlation matrix, of unit length; index_i = sum_k share_k score_ik / sum_k
    share_k over the kept k. The sign of a component is arbitrary: its loadings add up to a positive
    number here.

    Parameters
    ----------
    frame : one row a unit (and period); neither order, index nor other columns matter
    columns : indicators of which more is better, in any units
    keep : components in the index

    Returns
    -------
    ComponentIndex : an indicator that does not vary, or is missing everywhere, is under `problems`;
        rows that lack another are left out.
        With no usable row the index is missing throughout.

    Raises
    ------
    ValueError : columns missing, named twice or not numeric; no column; keep below 1 or above the
        number of columns
    """
    values, problems, usable, dropped = usable_indicators(frame, columns)
    if not 1 <= keep <= len(columns):
        raise ValueError(
            f"keep is {keep}: give a whole number of components from 1 to {len(columns)}."
        )
    good = np.array(
        [position for position, name in enumerate(columns) if name not in problems], dtype=int
    )
    used = values[np.ix_(usable, good)]
    directions, eigenvalues, scores = _components(used, min(keep, len(good), int(usable.sum())))
    loadings = pd.DataFrame(
        0.0,
        index=list(columns),
        columns=[f"pc{number}" for number in range(1, len(directions) + 1)],
    )
    loadings.iloc[good, :] = directions.T
    index = np.full(len(frame), np.nan)
    index[usable] = scores
    names = [f"pc{number}" for number in range(1, len(eigenvalues) + 1)]
    kmo, bartlett, df, p = _adequacy(used)
    return ComponentIndex(
        index=pd.Series(index, index=frame.index, name="index"),
        loadings=loadings,
        eigenvalues=pd.Series(eigenvalues, index=names, name="eigenvalue"),
        shares=pd.Series(
            eigenvalues / np.sum(eigenvalues) if len(names) else eigenvalues,
            index=names,
            name="share",
        ),
        kmo=kmo,
        bartlett=bartlett,
        bartlett_df=df,
        bartlett_p=p,
        problems=problems,
        dropped=dropped,
        n=int(usable.sum()),
    )


def _components(used: np.ndarray, kept: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Directions (kept, k), all eigenvalues, and the index (n,) of standardised (n, k)
    indicators.
    """
    if not kept:
        return np.zeros((0, used.shape[1])), np.zeros(0), np.full(len(used), np.nan)
    ordered = used[
        np.lexsort(used.T)
    ]  # the decomposition sees the rows in one order, whatever theirs is
    centre, spread = ordered.mean(axis=0), ordered.std(axis=0, ddof=1)
    roots, axes = plain.eigen(_correlations(ordered))
    directions = _turned(axes.T[::-1][:kept])
    # Fewer rows than indicators leave only as many components; rounding can bring an empty one
    # below zero.
    eigenvalues = np.maximum(roots[::-1][: min(used.shape)], 0.0)
    weights = eigenvalues[:kept] / eigenvalues[:kept].sum()
    return (
        directions,
        eigenvalues,
        plain.times(plain.times((used - centre) / spread, directions.T), weights),
    )


def _correlations(values: np.ndarray) -> np.ndarray:
    """(k, k) of (n, k) columns that vary."""
    scaled = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    return plain.cross(scaled, scaled) / (len(values) - 1)


def _turned(directions: np.ndarray) -> np.ndarray:
    """Rows turned so that each adds up to a positive number; where it adds up to zero, so that its
    largest entry is positive.
    """
    sums = directions.sum(axis=1)
    largest = directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)]
    return np.asarray(
        directions * np.where(np.abs(sums) > 1e-9, np.sign(sums), np.sign(largest))[:, None]
    )


def _adequacy(values: np.ndarray) -> tuple[float, float, int, float]:
    """KMO and Bartlett's statistic, degrees of freedom and p-value of (n, k) indicators; NaN where
    they are not defined.
    """
    n, k = values.shape
    df = k * (k - 1) // 2
    if k < 2 or n <= k:
        return np.nan, np.nan, df, np.nan
    roots, axes = plain.eigen(_correlations(values[np.lexsort(values.T)]))
    if roots[0] < SINGULAR:
        return np.nan, np.nan, df, np.nan
    correlation, inverse = (plain.times(axes * diagonal, axes.T) for diagonal in (roots, 1 / roots))
    partial = inverse / np.sqrt(np.outer(np.diag(inverse), np.diag(inverse)))
    off = ~np.eye(k, dtype=bool)
    simple, unexplained = float((correlation[off] ** 2).sum()), float((partial[off] ** 2).sum())
    statistic = -(n - 1 - (2 * k + 5) / 6) * float(np.sum(np.log(roots)))
    kmo = simple / (simple + unexplained) if simple + unexplained > 0 else np.nan
    return kmo, statistic, df, float(stats.chi2.sf(statistic, df))
