"""The regression of one group, all groups' covariance, and shuffles of who is in which group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg

from analysis.estimators.core.algebra import independent_columns, least_squares
from analysis.estimators.core.columns import rows
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.groups import numbered
from analysis.estimators.core.sums import sums_by


@dataclass(frozen=True)
class GroupData:
    y: np.ndarray
    x: np.ndarray  # (n, k) without the constant
    codes: np.ndarray  # (n,) group
    effects: list[np.ndarray]  # each (n,)
    clusters: np.ndarray | None
    blocks: np.ndarray  # (n,) what a permutation moves whole


@dataclass(frozen=True)
class GroupFit:
    coefficients: np.ndarray  # constant first, where there are no effects
    influence: np.ndarray  # (n, k) (X'X)^-1 x_i e_i
    rss: float
    df: int


def group_fit(data: GroupData, here: np.ndarray, terms: tuple[str, ...], name: str) -> GroupFit:
    """Least squares on some rows, effects taken out inside them."""
    taken = Effects(
        [numbered(np.unique(codes[here], return_inverse=True)[1]) for codes in data.effects]
    )
    x = data.x[here] if data.effects else np.column_stack([np.ones(int(here.sum())), data.x[here]])
    x, y = taken.out(x), taken.out(data.y[here])
    if np.linalg.norm(y if data.effects else y - y.mean()) <= 1e-9 * np.linalg.norm(data.y[here]):
        raise ValueError(
            f"the outcome does not vary in group {name}"
            f"{' once the effects are taken out' if data.effects else ''}."
        )
    df = len(y) - x.shape[1] - taken.rank
    size = np.linalg.norm(data.x[here], axis=0)
    flat = np.linalg.norm(x[:, -data.x.shape[1] :], axis=0) <= 1e-9 * size
    free = independent_columns(x)
    free[len(free) - len(flat) :] &= ~flat
    if df < 1 or not free.all():
        what = (
            f"{', '.join(term for term, keep in zip(terms, free, strict=True) if not keep)} is a"
            " combination of the rest"
            if df >= 1
            else f"{rows(len(y))} are too few"
        )
        raise ValueError(f"group {name} cannot carry the regression: {what}.")
    b, e, inverse = least_squares(y, x)
    return GroupFit(b, (x * e[:, None]) @ inverse, float(e @ e), df)


def joint_covariance(data: GroupData, fits: list[GroupFit]) -> np.ndarray:
    """(G k, G k) covariance of all groups' coefficients."""
    k = len(fits[0].coefficients)
    scores = np.zeros((len(data.y), k * len(fits)))
    for g, fit in enumerate(fits):
        scores[data.codes == g, g * k : (g + 1) * k] = fit.influence
    if data.clusters is not None:
        scores = sums_by(numbered(data.clusters), scores)
    count = len(scores)
    if count < 2:
        raise ValueError(
            "the sample has one cluster only: clustered standard errors need at least two."
        )
    return scores.T @ scores * count / (count - 1)


def permuted(data: GroupData, terms: list[str], count: int, seed: int) -> tuple[np.ndarray, int]:
    """Differences of slopes (draws, k), first group less second, under shuffled labels."""
    if not count:
        return np.empty((0, len(terms))), 0
    draw = np.random.default_rng(seed)
    labels = data.codes[np.unique(data.blocks, return_index=True)[1]]
    moved = all(
        len(np.unique(data.blocks[codes == level])) == 1
        for codes in data.effects
        for level in range(int(codes.max()) + 1)
    )
    shuffle = _together if moved else _one_by_one
    found, failed = shuffle(data, terms, [draw.permutation(labels) == 0 for _ in range(count)])
    if len(found) < count / 2:
        raise ValueError(
            f"{failed} of {count} permutations leave a group that cannot carry the regression: the"
            " groups are too small."
        )
    return found, failed


def _one_by_one(
    data: GroupData, terms: list[str], firsts: list[np.ndarray]
) -> tuple[np.ndarray, int]:
    """Effects that cut across the shuffled blocks must be taken out of every shuffle anew."""
    found = []
    for first in firsts:
        here = first[data.blocks]
        try:
            pair = [
                group_fit(data, side, tuple(terms), "shuffled").coefficients[-len(terms) :]
                for side in (here, ~here)
            ]
        except ValueError:
            continue
        found.append(pair[0] - pair[1])
    return np.array(found).reshape(-1, len(terms)), len(firsts) - len(found)


def _together(
    data: GroupData, terms: list[str], firsts: list[np.ndarray]
) -> tuple[np.ndarray, int]:
    """Without effects, or with effects that move along with the blocks, moments of a group are sums
    over its blocks: all shuffles at once.
    """
    taken = Effects([numbered(codes) for codes in data.effects])
    x = taken.out(data.x) if data.effects else np.column_stack([np.ones(len(data.y)), data.x])
    q, r = linalg.qr(x, mode="economic")
    k = q.shape[1]
    products = np.hstack(
        [(q[:, :, None] * q[:, None, :]).reshape(len(q), -1), q * taken.out(data.y)[:, None]]
    )
    sums = sums_by(numbered(data.blocks), products)
    first = np.array(firsts, dtype=float) @ sums
    found = []
    carried = np.ones(len(firsts), dtype=bool)
    for side in (first, sums.sum(axis=0) - first):
        moments = side[:, : k * k].reshape(-1, k, k)
        roots = np.linalg.eigvalsh(moments)
        carried &= roots[:, 0] > 1e-12 * roots[:, -1]
        found.append((moments, side[:, k * k :, None]))
    b = [np.linalg.solve(moments[carried], right[carried])[:, :, 0] for moments, right in found]
    back = linalg.solve_triangular(r, (b[0] - b[1]).T).T
    return back[:, -len(terms) :], int((~carried).sum())


def with_difference(by_term: pd.DataFrame, fits: list[GroupFit], draws: np.ndarray) -> pd.DataFrame:
    """The table with the difference of slopes in front and, after shuffles, their p behind."""
    k = len(by_term)
    observed = fits[0].coefficients[-k:] - fits[1].coefficients[-k:]
    table = pd.concat(
        [pd.Series(observed, index=by_term.index, name="difference"), by_term], axis=1
    )
    return table.assign(**_permutation_p(observed, draws)) if len(draws) else table


def _permutation_p(observed: np.ndarray, draws: np.ndarray) -> dict[str, np.ndarray]:
    slack = 1e-12 * np.abs(observed)
    two_sided = (1 + (np.abs(draws) >= np.abs(observed) - slack).sum(axis=0)) / (1 + len(draws))
    return {"p_permutation": two_sided, "share_above": (draws > observed).mean(axis=0)}
