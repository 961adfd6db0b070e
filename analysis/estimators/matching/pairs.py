"""Who is matched with whom: support, pairs and weights, in an order that the rows decide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from analysis.estimators.core.columns import is_text, numbers
from analysis.estimators.matching.options import MatchOptions
from analysis.estimators.matching.weights import kernel_weights, nearest, nearest_once


def matched_pairs(
    score: np.ndarray, treated: np.ndarray, key: np.ndarray | None, options: MatchOptions
) -> tuple[np.ndarray, np.ndarray, sparse.csr_array, np.ndarray, np.ndarray]:
    """Positions of treated rows and controls, their pairs, support (n,) and weights (n,)."""
    supported = _supported(score, treated, options)
    one, zero = np.flatnonzero(treated & supported), np.flatnonzero(~treated & supported)
    if not len(one) or not len(zero):
        raise ValueError(
            f"support={options.support!r} leaves {len(one)} treated rows and {len(zero)} controls."
        )
    pairs = _pairs(score, one, zero, key, options)
    matched = np.diff(pairs.indptr) > 0
    if not matched.any():
        raise ValueError(
            "no treated row has a control near enough. Widen the caliper or the bandwidth."
        )
    supported[one[~matched]] = False
    weights = np.zeros(len(score))
    weights[one[matched]] = 1.0
    weights[zero] = np.asarray(pairs.sum(axis=0)).ravel()
    return one, zero, pairs, supported, weights


def _supported(score: np.ndarray, treated: np.ndarray, options: MatchOptions) -> np.ndarray:
    low, high = score[~treated].min(), score[~treated].max()
    if options.support == "common":
        return np.asarray(~treated | ((score >= low) & (score <= high)))
    if options.support == "overlap":
        return np.asarray(
            (score >= max(low, score[treated].min())) & (score <= min(high, score[treated].max()))
        )
    if options.support == "trim":
        return np.asarray((score >= options.trim) & (score <= 1 - options.trim))
    return np.ones(len(score), dtype=bool)


def _pairs(
    score: np.ndarray,
    one: np.ndarray,
    zero: np.ndarray,
    key: np.ndarray | None,
    options: MatchOptions,
) -> sparse.csr_array:
    treated, controls = score[one], score[zero]
    caliper = options.caliper
    if caliper is not None and options.caliper_in_sd:
        caliper *= float(score.std(ddof=1))
    if options.method == "kernel":
        return kernel_weights(treated, controls, options.kernel, options.bandwidth)
    if options.method == "radius":
        return kernel_weights(treated, controls, "uniform", float(caliper or 0.0))
    if options.replacement:
        return nearest(
            treated,
            controls,
            options.neighbours,
            caliper,
            options.ties,
            None if key is None else key[zero],
        )
    return nearest_once(
        treated,
        controls,
        options.neighbours,
        caliper,
        options.descending,
        None if key is None else (key[one], key[zero]),
    )


def key_ranks(frame: pd.DataFrame, keys: Sequence[str] | None) -> np.ndarray | None:
    """(n,) rank of each row in the order of its keys."""
    if not keys:
        return None
    codes = [
        pd.factorize(
            (
                frame[name].astype(frame[name].cat.categories.dtype)
                if hasattr(frame[name], "cat")
                else frame[name]
            ),
            sort=True,
        )[0]
        for name in keys
    ]
    rank = np.empty(len(frame), dtype=int)
    rank[np.lexsort(codes[::-1])] = np.arange(len(frame))
    return rank


def own_order(
    frame: pd.DataFrame,
    treated: np.ndarray,
    score: np.ndarray,
    key: np.ndarray | None,
    names: Sequence[str],
) -> np.ndarray:
    """Positions sorted by treatment, score, key and values."""
    columns = [
        (
            np.unique(frame[name].astype(str), return_inverse=True)[1]
            if is_text(frame[name])
            else numbers(frame, [name])[name]
        )
        for name in names
    ]
    return np.lexsort(
        [
            *(np.asarray(column) for column in columns),
            *([] if key is None else [key]),
            score,
            treated,
        ]
    )
