"""One comparison of a treated group with its controls between two periods.

Three estimators (`dr`, `reg`, `ipw`) of the effect on the treated, for panels (both periods of each
unit) and for rows of two cross-sections. Each returns the average effect on the treated and an
influence function (n,) with mean zero, so that its variance is mean(influence^2)/n.

Source: Sant'Anna and Zhao (2020), Doubly robust difference-in-differences estimators, Journal of
Econometrics 219: panel `dr` is the sample analogue of their (2.6) with a logit score and least
squares on the controls; cross-section `dr` is the locally efficient estimator of their section 2.2;
`ipw` has weights that sum to one (Hajek); `reg` is outcome regression. Controls whose score is
0.995 or more get no weight; a comparison with a score of 0.999 or more is refused, as in R did.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from analysis.estimators.core.options import DidMethod
from analysis.estimators.limited.binary_fit import SeparationError, fit_binary

LARGEST_SCORE = 0.999
TRIMMED_SCORE = 0.995


class NoComparison(ValueError):  # noqa: N818 - a finding about the data, told as such
    """The comparison cannot be made; the text says why in a few words."""


def panel_comparison(
    method: DidMethod, dy: np.ndarray, d: np.ndarray, x: np.ndarray, w: np.ndarray
) -> tuple[float, np.ndarray]:
    """Change dy (n,), treated d (n,) of 0/1, controls with a constant x (n, k), weights w (n,)."""
    w = w / w.mean()
    control = w * (1 - d)
    fitted, regression = (
        _regression(dy, x, control) if method != "ipw" else (np.zeros_like(dy), np.zeros_like(x))
    )
    treated, treated_if = _mean(w * d, dy - fitted)
    treated_if -= regression @ ((w * d) @ x) / (w * d).sum()
    if method == "reg":
        return treated, treated_if
    odds, score = _odds(d, x, w)
    weight = control * odds
    untreated, untreated_if = _mean(weight, dy - fitted)
    slope = (weight * (dy - fitted - untreated)) @ x / weight.sum()
    untreated_if += score @ slope - regression @ (weight @ x) / weight.sum()
    return treated - untreated, treated_if - untreated_if


def section_comparison(
    method: DidMethod, y: np.ndarray, post: np.ndarray, d: np.ndarray, x: np.ndarray, w: np.ndarray
) -> tuple[float, np.ndarray]:
    """Outcome y (n,), period post (n,) of 0/1; the rest as in `panel_comparison`."""
    w = w / w.mean()
    if method == "reg":
        return _section_regression(y, post, d, x, w)
    odds, score = _odds(d, x, w)
    period = (1 - post, post)
    control = [w * (1 - d) * when for when in period]
    fits = (
        [_regression(y, x, weight) for weight in control]
        if method == "dr"
        else [(np.zeros_like(y), np.zeros_like(x))] * 2
    )
    effect, influence = 0.0, np.zeros_like(y)
    for when in (0, 1):
        sign = 1.0 if when else -1.0
        fitted, regression = fits[when]
        weight = w * d * period[when]
        mean, part = _mean(weight, y - fitted)
        part -= regression @ (weight @ x) / weight.sum()
        effect, influence = effect + sign * mean, influence + sign * part
        weight = control[when] * odds
        mean, part = _mean(weight, y - fitted)
        part += (
            score @ ((weight * (y - fitted - mean)) @ x / weight.sum())
            - regression @ (weight @ x) / weight.sum()
        )
        effect, influence = effect - sign * mean, influence - sign * part
    if method == "ipw":
        return effect, influence
    more, more_if = _efficiency(y, post, d, x, w, fits)
    return effect + more, influence + more_if


def _section_regression(
    y: np.ndarray, post: np.ndarray, d: np.ndarray, x: np.ndarray, w: np.ndarray
) -> tuple[float, np.ndarray]:
    before, before_if = _mean(w * d * (1 - post), y)
    after, after_if = _mean(w * d * post, y)
    fitted0, regression0 = _regression(y, x, w * (1 - d) * (1 - post))
    fitted1, regression1 = _regression(y, x, w * (1 - d) * post)
    change, change_if = _mean(w * d, fitted1 - fitted0)
    change_if += (regression1 - regression0) @ ((w * d) @ x) / (w * d).sum()
    return after - before - change, after_if - before_if - change_if


def _efficiency(
    y: np.ndarray,
    post: np.ndarray,
    d: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    control: list[tuple[np.ndarray, np.ndarray]],
) -> tuple[float, np.ndarray]:
    """What makes `dr` on cross-sections locally efficient.

    The treated's own regressions, over all treated less over one period's.
    """
    effect, influence = 0.0, np.zeros_like(y)
    for when, inside in ((0, 1 - post), (1, post)):
        sign = 1.0 if when else -1.0
        fitted, regression = _regression(y, x, w * d * inside)
        gap = fitted - control[when][0]
        everyone, everyone_if = _mean(w * d, gap)
        period, period_if = _mean(w * d * inside, gap)
        moment = (w * d) @ x / (w * d).sum() - (w * d * inside) @ x / (w * d * inside).sum()
        effect += sign * (everyone - period)
        influence += sign * (everyone_if - period_if + (regression - control[when][1]) @ moment)
    return effect, influence


def _mean(weight: np.ndarray, values: np.ndarray) -> tuple[float, np.ndarray]:
    """A weighted mean and its influence function."""
    total = weight.sum()
    if total <= 0:
        raise NoComparison("no unit left with weight")
    mean = float(weight @ values / total)
    return mean, weight * (values - mean) / (total / len(weight))


def _regression(y: np.ndarray, x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fitted values (n,) of least squares, and rows' influence on its coefficients (n, k)."""
    root = np.sqrt(weight)
    scale = np.sqrt(weight @ x**2)
    if (scale == 0).any() or (weight > 0).sum() < x.shape[1]:
        raise NoComparison("too few controls for the covariates")
    design = x / scale
    q, r = linalg.qr(design * root[:, None], mode="economic")
    if np.abs(np.diag(r)).min() < 1e-8:
        raise NoComparison("collinear covariates among the controls")
    inverse = linalg.solve_triangular(r, np.eye(len(r)))
    beta = inverse @ (q.T @ (root * y))
    fitted = design @ beta
    bread = inverse @ inverse.T * len(y)
    return fitted, (design * (weight * (y - fitted))[:, None]) @ bread / scale


def _odds(d: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Odds p/(1-p), zero for trimmed controls (n,), and influence on the logit (n, k)."""
    try:
        fit = fit_binary(d, x, w, "logit")
    except SeparationError as error:
        raise NoComparison("no overlap: the covariates tell treated and controls apart") from error
    except ValueError as error:
        raise NoComparison("collinear covariates") from error
    p = fit.probability
    if p.max() >= LARGEST_SCORE:
        raise NoComparison(f"no overlap: a score of {p.max():.4f}")
    score = (x * (w * (d - p))[:, None]) @ fit.covariance * len(d)
    return np.where((d == 0) & (p >= TRIMMED_SCORE), 0.0, p / (1 - p)), score
