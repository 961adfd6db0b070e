"""Least squares on columns whose effects are taken out: slopes, their covariance, R-squared. What
each is called and counts is said in `fixed_effects`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.estimators.core.absorb import Absorber
from analysis.estimators.core.kernels import near_groups, near_meat
from analysis.estimators.core.options import ConstantForm, Covariance, EffectsSmall
from analysis.estimators.core.sample import Sample
from analysis.estimators.core.sandwich import Mended, SmallSample, bread, meat, mended
from analysis.estimators.core.tall import cross, inner, times


@dataclass(frozen=True, eq=False)
class Regression:
    """Least squares on residualised regressors; with 'first_period' the second effect's dummies
    come after the `own` regressors.
    """

    own: int
    slopes: np.ndarray  # (k,)
    constant: float
    columns: np.ndarray  # (n, 1 + k) outcome and regressors, residualised
    means: np.ndarray  # (k,)
    gram: np.ndarray  # (k, k)
    residuals: np.ndarray  # (n,)


def regression(
    sample: Sample,
    within: np.ndarray,
    moments: np.ndarray,
    kept: list[int],
    effects: tuple[str, ...],
    constant: ConstantForm,
) -> Regression:
    columns = [0, *(at + 1 for at in kept)]
    means = sample.means[columns]
    if constant == "first_period":
        within, shares = _with_dummies(sample, columns, effects)
        means = np.append(means, shares)
        moments = cross(
            within, within if sample.weights is None else within * sample.weights[:, None]
        )
    elif len(columns) < within.shape[1]:
        within, moments = (
            np.ascontiguousarray(within[:, columns]),
            moments[np.ix_(columns, columns)],
        )
    gram = moments[1:, 1:]
    scale = 1 / np.sqrt(np.diag(gram))
    scaled = gram * np.outer(scale, scale)
    if constant == "first_period" and np.linalg.eigvalsh(scaled)[0] < 1e-10:
        raise ValueError(
            f"the first level of {effects[1]} is not comparable in every connected part of the"
            " panel: use constant = 'grand_mean'."
        )
    slopes = scale * np.linalg.solve(scaled, scale * moments[1:, 0])
    return Regression(
        len(kept),
        slopes,
        float(means[0] - means[1:] @ slopes),
        within,
        means[1:],
        gram,
        times(within, np.append(1.0, -slopes)[:, None])[:, 0],
    )


def _with_dummies(
    sample: Sample, columns: list[int], effects: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The columns and the second effect's dummies but the first with the first effect taken out,
    and the dummies' means.
    """
    codes, size = sample.groups[effects[1]]
    dummies = (codes[:, None] == np.arange(1, size)).astype(float)
    shares = (
        dummies.mean(axis=0)
        if sample.weights is None
        else cross(sample.weights[:, None], dummies)[0] / sample.n
    )
    together = np.column_stack([sample.columns[:, columns], dummies])
    return (
        Absorber(sample.of(effects[:1]), sample.weights).residualise(together, overwrite=True),
        shares,
    )


def spread(
    sample: Sample, fit: Regression, errors: Covariance, paid: SmallSample, small: EffectsSmall
) -> tuple[np.ndarray, Mended]:
    """(terms, terms), the constant last, and what had to be mended."""
    half = bread(fit.gram, fit.means, float(sample.n))[[*range(fit.own), -1]]
    covariance = paid.factor * half @ _middle(sample, fit, errors)[1:, 1:] @ half.T
    covariance = (covariance + covariance.T) / 2
    two_way = len(errors.clusters) == 2 and small != "linearmodels"
    mend = two_way or (errors.kernel == "uniform" and errors.kind == "conley")
    return mended(covariance) if mend else (covariance, "nothing")


def _middle(sample: Sample, fit: Regression, errors: Covariance) -> np.ndarray:
    """Of outcome, regressors and the constant, last."""
    if errors.kind in ("driscoll_kraay", "conley"):
        weighted = fit.residuals if sample.weights is None else fit.residuals * sample.weights
        scores = np.column_stack([fit.columns * weighted[:, None], weighted])
        return near_meat(*near_groups(sample, errors), scores)
    clusters = [sample.groups[name] for name in errors.clusters]
    return meat(errors.kind, fit.columns, fit.residuals, sample.weights, clusters)


def r_squared(
    sample: Sample,
    within: np.ndarray,
    residuals: np.ndarray,
    effects: Sequence[str],
    paid: SmallSample,
    k: int,
) -> dict[str, Any]:
    """The R-squared of the module's text; the residuals are the same in all of them, what they are
    compared with differs.
    """
    n, y = sample.n, sample.columns[:, :1]
    rss = _squares(sample, residuals)
    share = 1 - rss / _squares(sample, y[:, 0] - sample.means[0])
    first = (
        within[:, 0]
        if len(effects) < 2
        else Absorber(sample.of(effects[:1]), sample.weights).residualise(y)[:, 0]
    )
    first_within = 1 - rss / _squares(sample, first)
    return {
        "r2": share,
        "r2_adjusted": 1 - (1 - share) * (n - 1) / (n - k - paid.levels),
        "r2_within": 1 - rss / _squares(sample, within[:, 0]),
        "r2_first_within": first_within,
        "r2_first_within_adjusted": 1 - (1 - first_within) * (n - 1) / (n - paid.counted),
    }


def _squares(sample: Sample, column: np.ndarray) -> float:
    return inner(column, column if sample.weights is None else column * sample.weights)
