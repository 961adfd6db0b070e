"""Composite indices: entropy weights and principal components.

An indicator that says nothing (all equal, all missing) gets no weight and is named under
`problems`; a row without every other indicator gets no index. So one bad column never makes the
rest missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.measures import plain, samples

# Spread that is left of equal numbers by rounding, as a share of their size.
EQUAL = 1e-13


@dataclass(frozen=True, eq=False, kw_only=True)
class EntropyWeights:
    """Entropy weights and the index that they make.

    Attributes
    ----------
    weights : by indicator, summing to 1; 0 for an indicator under `problems`
    entropy : by indicator, in 0-1: 1 where all rows have the same share; NaN under `problems`
    index : for every row of the frame, the weighted sum of the scaled indicators, in 0-1; NaN where
        a row was left out
    scaled : for every row of the frame, the indicators scaled to 0 (worst) - 1 (best); NaN where a
        row was left out or the indicator has a problem
    problems : indicator -> why it has no weight
    dropped : reason -> rows
    n : rows used
    """

    weights: pd.Series
    entropy: pd.Series
    index: pd.Series
    scaled: pd.DataFrame
    problems: Mapping[str, str]
    dropped: Mapping[str, int]
    n: int

    def note(self) -> str:
        """One sentence: over which rows, and what was left out."""
        return (
            f"entropy weights of {int((self.weights > 0).sum())} indicators over"
            f" {samples.rows(self.n)}{_left_out(self.problems, self.dropped)}."
        )


def entropy_weights(
    frame: pd.DataFrame,
    positive: Sequence[str],
    negative: Sequence[str] = (),
    *,
    shift: float = 0.0,
) -> EntropyWeights:
    """Weight indicators by how unequally they are spread over the rows (Shannon's entropy, 1948;
    weights as in Zeleny 1982).

    Scaled s_ij = (x_ij - min_j) / (max_j - min_j), or (max_j - x_ij) / (max_j - min_j) where less
    is better; share q_ij = s_ij / sum_i s_ij; entropy e_j = -sum_i q_ij ln q_ij / ln n, with 0 ln 0
    = 0; weight w_j = (1 - e_j) / sum_j (1 - e_j); index_i = sum_j w_j s_ij.

    Parameters
    ----------
    frame : one row a city (and year): the rows given are compared with each other, so give one year
        for weights of that year
    positive, negative : indicators of which more is better, or less; in any units
    shift : added to every scaled value, for those who avoid 0 ln 0 by a small number; 0 here

    Returns
    -------
    EntropyWeights : with weights in the order positive, negative

    Raises
    ------
    ValueError : columns missing, named twice or not numeric; no indicator; a negative shift
    """
    names = [*positive, *negative]
    values, problems, keep, dropped = usable_indicators(frame, names)
    if not shift >= 0:
        raise ValueError(
            f"shift is {shift}: it is added so that shares are above zero, and cannot be negative."
        )
    weights, entropy = np.zeros(len(names)), np.full(len(names), np.nan)
    scaled = np.full(values.shape, np.nan)
    good = _good(names, problems)
    if len(good):
        less = np.array([names[position] in negative for position in good])
        unit = _unit(values[np.ix_(keep, good)], less) + shift
        scaled[np.ix_(keep, good)] = unit
        spread = _spread(unit)
        entropy[good] = 1 - spread
        # Where shares are equal but for rounding no indicator says anything, and none has a weight.
        weights[good] = spread / spread.sum() if spread.sum() > EQUAL else 0.0
    made = plain.times(scaled[:, good], weights[good])
    return EntropyWeights(
        weights=pd.Series(weights, index=names, name="weight"),
        entropy=pd.Series(entropy, index=names, name="entropy"),
        index=_by_row(frame, keep & bool(weights.any()), made, "index"),
        scaled=pd.DataFrame(scaled, index=frame.index, columns=names),
        problems=problems,
        dropped=dropped,
        n=int(keep.sum()),
    )


def _good(names: Sequence[str], problems: Mapping[str, str]) -> np.ndarray:
    """Positions of the indicators that say something."""
    return np.array([at for at, name in enumerate(names) if name not in problems], dtype=int)


def _unit(used: np.ndarray, less: np.ndarray) -> np.ndarray:
    """Columns (n, k) scaled from 0 (worst) to 1 (best); `less` (k,) where less is better."""
    low, high = used.min(axis=0), used.max(axis=0)
    return np.where(less, (high - used) / (high - low), (used - low) / (high - low))


def _spread(unit: np.ndarray) -> np.ndarray:
    """1 - entropy by column. Columns are sorted before they are summed, so that the order of rows
    does not reach the last digit.
    """
    ordered = np.sort(unit, axis=0)
    share = ordered / ordered.sum(axis=0)
    safe = np.where(share > 0, share, 1.0)
    return np.maximum(0.0, 1 + np.sum(share * np.log(safe), axis=0) / np.log(len(unit)))


@dataclass(frozen=True, eq=False, kw_only=True)
class PrincipalComponents:
    """Principal components of indicators and the index that the first of them make.

    Attributes
    ----------
    loadings : (indicators, components) directions of unit length; each adds up to a positive
        number. 0 for an indicator under `problems`
    deviations : standard deviation of the rows along each component (the square roots of the
        eigenvalues)
    shares : of the variance, by component, summing to 1
    scores : for every row of the frame, its place along each component; NaN where a row was left
        out
    index : for every row of the frame, the kept components' scores weighted by their shares
    kept : number of components in the index
    problems, dropped, n : as for entropy weights
    """

    loadings: pd.DataFrame
    deviations: pd.Series
    shares: pd.Series
    scores: pd.DataFrame
    index: pd.Series
    kept: int
    problems: Mapping[str, str]
    dropped: Mapping[str, int]
    n: int

    def note(self) -> str:
        """One sentence: how much the index holds, over which rows, and what was left out."""
        held = 100 * float(self.shares.iloc[: self.kept].sum())
        which = "first component" if self.kept == 1 else f"first {self.kept} components"
        return (
            f"{which} ({held:.1f} % of the variance) over"
            f" {samples.rows(self.n)}{_left_out(self.problems, self.dropped)}."
        )


def principal_components(
    frame: pd.DataFrame,
    positive: Sequence[str],
    negative: Sequence[str] = (),
    *,
    keep: int | float = 1,
    standardise: bool = True,
) -> PrincipalComponents:
    """Principal components of standardised indicators, as R's prcomp(scale. = TRUE), and an index
    of the first of them.

    z_ij = (x_ij - mean_j) / sd_j with n - 1 below (negative indicators with the sign turned); z = U
    D V', loadings V, deviations D / sqrt(n - 1), scores z V. The sign of a component is arbitrary:
    here its loadings add up to a positive number (where they add up to zero, the first is
    positive), so that with indicators that rise together more is better. index = sum_k share_k
    score_k / sum_k share_k over the kept components.

    Parameters
    ----------
    frame, positive, negative : as for `entropy_weights`
    keep : a whole number of components, or the share of the variance (0-1) that those kept must
        reach
    standardise : divide by the standard deviation; left out, units matter

    Raises
    ------
    ValueError : columns missing, named twice or not numeric; no indicator; keep out of range
    """
    names = [*positive, *negative]
    values, problems, usable, dropped = usable_indicators(frame, names)
    good = _good(names, problems)
    _check_keep(keep, len(names))
    count = min(len(good), int(usable.sum()))
    labels = [f"pc{number}" for number in range(1, count + 1)]
    loadings = pd.DataFrame(0.0, index=names, columns=labels)
    scores = pd.DataFrame(np.nan, index=frame.index, columns=labels)
    deviations = np.zeros(count)
    if count:
        sign = np.array([-1.0 if names[position] in negative else 1.0 for position in good])
        directions, deviations, placed = _decomposed(
            values[np.ix_(usable, good)] * sign, standardise
        )
        loadings.iloc[good, :] = directions.T
        scores.iloc[np.flatnonzero(usable), :] = placed
    shares = deviations**2 / np.sum(deviations**2) if count else deviations
    kept = _kept(keep, shares)
    weights = shares[:kept] / shares[:kept].sum() if kept else shares[:0]
    made = scores.iloc[:, :kept].to_numpy() @ weights
    return PrincipalComponents(
        loadings=loadings,
        deviations=pd.Series(deviations, index=labels, name="deviation"),
        shares=pd.Series(shares, index=labels, name="share"),
        scores=scores,
        index=_by_row(frame, usable & bool(count), made, "index"),
        kept=kept,
        problems=problems,
        dropped=dropped,
        n=int(usable.sum()),
    )


def _decomposed(used: np.ndarray, standardise: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Directions (components, k), deviations along them, and the rows' scores; the decomposition
    sees the rows in one order, whatever theirs is.
    """
    order = np.lexsort(used.T)
    centre = used[order].mean(axis=0)
    spread = used[order].std(axis=0, ddof=1) if standardise else np.ones(used.shape[1])
    _, singular, right = np.linalg.svd((used[order] - centre) / spread, full_matrices=False)
    directions = _turned(right)
    scores = ((used - centre) / spread) @ directions.T
    return directions, singular / np.sqrt(len(used) - 1), scores


def _turned(directions: np.ndarray) -> np.ndarray:
    """Rows turned so that each adds up to a positive number."""
    sums = directions.sum(axis=1)
    leading = np.array([row[np.flatnonzero(np.abs(row) > 1e-9)[0]] for row in directions])
    sign = np.where(np.abs(sums) > 1e-9, np.sign(sums), np.sign(leading))
    return np.asarray(directions * sign[:, None])


def _check_keep(keep: int | float, indicators: int) -> None:
    whole = isinstance(keep, int | np.integer)
    if (whole and not 1 <= keep <= indicators) or (not whole and not 0 < keep <= 1):
        raise ValueError(
            f"keep is {keep}: give a whole number of components from 1 to {indicators}, or a share"
            " of the variance above 0 and up to 1.0."
        )


def _kept(keep: int | float, shares: np.ndarray) -> int:
    if isinstance(keep, int | np.integer):
        return min(int(keep), len(shares))
    return min(int(np.searchsorted(np.cumsum(shares), keep - 1e-12)) + 1, len(shares))


def usable_indicators(
    frame: pd.DataFrame, names: Sequence[str]
) -> tuple[np.ndarray, dict[str, str], np.ndarray, dict[str, int]]:
    """Values (n, k), indicators that say nothing, rows that have every other one, and why rows were
    dropped.

    Whether an indicator varies is asked of the rows that are kept, and leaving one out can keep
    more rows: so it is asked until nothing changes.
    """
    if not names:
        raise ValueError("no indicator is named.")
    samples.check_columns(frame, names)
    values = samples.numbers(frame, names)
    problems = {
        name: "all missing"
        for name, column in zip(names, values.T, strict=True)
        if not np.isfinite(column).any()
    }
    while True:
        checks = [
            (name, values[:, position])
            for position, name in enumerate(names)
            if name not in problems
        ]
        if not checks:
            return values, problems, np.zeros(len(frame), dtype=bool), {}
        keep, dropped = samples.usable_rows(checks)
        equal = [
            name
            for name, column in checks
            if keep.any() and np.ptp(column[keep]) <= EQUAL * np.max(np.abs(column[keep]))
        ]
        if not equal:
            return (
                values,
                (
                    problems
                    if keep.any()
                    else {**problems, **{name: "no row has every indicator" for name, _ in checks}}
                ),
                keep,
                dropped,
            )
        problems.update(dict.fromkeys(equal, "all equal"))


def _left_out(problems: Mapping[str, str], dropped: Mapping[str, int]) -> str:
    parts = [f"{name} ({reason})" for name, reason in problems.items()] + [
        f"{samples.rows(count)} ({reason})" for reason, count in dropped.items()
    ]
    return f"; left out: {'; '.join(parts)}" if parts else ""


def _by_row(frame: pd.DataFrame, keep: np.ndarray, values: np.ndarray, name: str) -> pd.Series:
    return pd.Series(np.where(keep, values, np.nan), index=frame.index, name=name)
