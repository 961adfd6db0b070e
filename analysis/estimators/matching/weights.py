"""Who is compared with whom: weights of controls for each treated row, from their scores.

Everything works on scores sorted by (score, key), so the result depends on the order of rows only
through `key`, which says in which order tied rows are taken.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from analysis.estimators.core.options import Kernel, MatchTies

# Without their constants, which cancel; u = distance / bandwidth.
KERNELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "epanechnikov": lambda u: np.where(np.abs(u) < 1, 1 - u**2, 0.0),
    "gaussian": lambda u: np.exp(-(u**2) / 2),
    "biweight": lambda u: np.where(np.abs(u) < 1, (1 - u**2) ** 2, 0.0),
    "uniform": lambda u: np.where(np.abs(u) <= 1, 1.0, 0.0),
    "tricube": lambda u: np.where(np.abs(u) < 1, (1 - np.abs(u) ** 3) ** 3, 0.0),
}


class TieError(ValueError):
    """Tied rows, and nothing that says which comes first."""


def nearest(
    treated: np.ndarray,
    controls: np.ndarray,
    k: int,
    caliper: float | None,
    ties: MatchTies,
    key: np.ndarray | None,
    skip: np.ndarray | None = None,
) -> sparse.csr_array:
    """k nearest controls with replacement.

    Parameters
    ----------
    treated, controls : (n1,), (n0,) scores
    caliper : largest distance allowed, itself included
    ties : "average" takes all controls as near as the k-th, equally weighted; "first" takes k, the
        smaller key first
    key : (n0,) distinct numbers that order tied controls; None: a tie that matters is a TieError
    skip : (n1,) position of a control that a treated row must not be matched with (itself)

    Returns
    -------
    (n1, n0) weights; a row sums to one, or to zero where no control is near enough
    """
    order = np.lexsort([np.arange(len(controls)) if key is None else key, controls])
    sorted_scores = controls[order]
    rank = np.arange(len(order)) if key is None else key[order]
    rows: list[np.ndarray] = []
    columns: list[np.ndarray] = []
    for i, score in enumerate(treated):
        near = _candidates(sorted_scores, float(score), k + (skip is not None), caliper)
        if skip is not None:
            near = near[order[near] != skip[i]]
        chosen = _chosen(np.abs(sorted_scores[near] - score), near, k, ties, rank, key is None)
        rows.append(np.full(len(chosen), i))
        columns.append(order[chosen])
    return _equal_weights(rows, columns, (len(treated), len(controls)))


def _candidates(scores: np.ndarray, score: float, k: int, caliper: float | None) -> np.ndarray:
    """Positions of all controls not farther than the k-th nearest, and inside the caliper."""
    position = int(np.searchsorted(scores, score))
    window = np.arange(max(0, position - k), min(len(scores), position + k))
    distance = np.sort(np.abs(scores[window] - score))
    if not len(distance):
        return window
    reach = distance[min(k, len(distance)) - 1]
    if caliper is not None:
        reach = min(reach, caliper)
    slack = 4 * np.finfo(float).eps * (abs(score) + reach)
    wide = np.arange(
        np.searchsorted(scores, score - reach - slack),
        np.searchsorted(scores, score + reach + slack, side="right"),
    )
    return np.asarray(wide[np.abs(scores[wide] - score) <= reach])


def _chosen(
    distance: np.ndarray, near: np.ndarray, k: int, ties: MatchTies, rank: np.ndarray, no_key: bool
) -> np.ndarray:
    if len(near) <= k:
        return near
    by_distance = np.lexsort([rank[near], distance])
    if ties == "average":
        return near[distance <= distance[by_distance[k - 1]]]
    if no_key and distance[by_distance[k]] == distance[by_distance[k - 1]]:
        raise TieError(
            "controls are tied in their score and ties='first': pass keys (columns whose "
            "order decides), or ties='average'."
        )
    return near[by_distance[:k]]


def nearest_once(
    treated: np.ndarray,
    controls: np.ndarray,
    k: int,
    caliper: float | None,
    descending: bool,
    keys: tuple[np.ndarray, np.ndarray] | None,
) -> sparse.csr_array:
    """k nearest controls without replacement: treated rows choose in the order of their scores, one
    control a round, k rounds.
    """
    own, others = keys if keys is not None else (np.arange(len(treated)), np.arange(len(controls)))
    if keys is None and (
        len(np.unique(treated)) < len(treated) or len(np.unique(controls)) < len(controls)
    ):
        raise TieError(
            "scores are tied, and without replacement the order of rows matters: pass keys "
            "(columns whose order decides)."
        )
    turn = np.lexsort([own, -treated if descending else treated])
    order = np.lexsort([others, controls])
    scores, rank = controls[order], others[order]
    free = np.ones(len(controls), dtype=bool)
    rows: list[np.ndarray] = []
    columns: list[np.ndarray] = []
    for _ in range(k):
        for i in turn:
            found = _free_nearest(scores, free, rank, float(treated[i]))
            if found is None or (caliper is not None and abs(scores[found] - treated[i]) > caliper):
                continue
            free[found] = False
            rows.append(np.array([i]))
            columns.append(order[[found]])
    return _equal_weights(rows, columns, (len(treated), len(controls)))


def _free_nearest(
    scores: np.ndarray, free: np.ndarray, rank: np.ndarray, score: float
) -> int | None:
    left_of = int(np.searchsorted(scores, score))
    below, above = np.flatnonzero(free[:left_of]), np.flatnonzero(free[left_of:]) + left_of
    options = [*below[-1:], *above[:1]]
    if not options:
        return None
    reach = min(abs(scores[j] - score) for j in options)
    tied = [j for side in (below, above) for j in side[np.abs(scores[side] - score) == reach]]
    return int(min(tied, key=lambda j: rank[j]))


def kernel_weights(
    treated: np.ndarray, controls: np.ndarray, kernel: Kernel, bandwidth: float
) -> sparse.csr_array:
    """Weights (n1, n0) proportional to the kernel of the distance; a row is empty where no control
    has weight.
    """
    order = np.argsort(controls, kind="stable")
    scores = controls[order]
    rows, columns, values = [], [], []
    reach = np.inf if kernel == "gaussian" else bandwidth * (1 + 1e-9)
    starts, ends = (
        np.searchsorted(scores, treated - reach),
        np.searchsorted(scores, treated + reach, side="right"),
    )
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        weight = KERNELS[kernel]((scores[start:end] - treated[i]) / bandwidth)
        used = weight > 0
        if used.any():
            rows.append(np.full(int(used.sum()), i))
            columns.append(order[start:end][used])
            values.append(weight[used] / weight[used].sum())
    return _assemble(rows, columns, values, (len(treated), len(controls)))


def _equal_weights(
    rows: list[np.ndarray], columns: list[np.ndarray], shape: tuple[int, int]
) -> sparse.csr_array:
    if not rows:
        return sparse.csr_array(shape)
    row = np.concatenate(rows)
    return _assemble(
        [row], [np.concatenate(columns)], [1.0 / np.bincount(row, minlength=shape[0])[row]], shape
    )


def _assemble(
    rows: list[np.ndarray],
    columns: list[np.ndarray],
    values: list[np.ndarray],
    shape: tuple[int, int],
) -> sparse.csr_array:
    if not rows:
        return sparse.csr_array(shape)
    matrix = sparse.csr_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape
    )
    matrix.sort_indices()
    return matrix
