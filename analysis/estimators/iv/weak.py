"""Inference on the coefficients of endogenous regressors that is right however weak the instruments
are.

Anderson and Rubin (1949): under the null b, y - X1 b has no coefficients on the excluded
instruments. The set of b that the test does not reject is a confidence set; with one endogenous
regressor it is found from the roots of a polynomial, not from a grid, and can be an interval, two
rays, the whole line, empty, or (robust errors) a union of pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import linalg, optimize, stats

from analysis.estimators.core.options import level_of
from analysis.estimators.core.result import Test
from analysis.estimators.iv.equation import Model, residual_maker
from analysis.estimators.iv.fit import is_singular


@dataclass(frozen=True)
class ConfidenceSet:
    """Values of a coefficient that a test at 1 - level does not reject: disjoint closed pieces in
    rising order, infinite ends included."""

    level: float
    pieces: tuple[tuple[float, float], ...]

    @property
    def form(self) -> str:
        """One of empty, whole line, interval, ray, two rays, union."""
        if not self.pieces:
            return "empty"
        ends = np.isinf(self.pieces[0][0]), np.isinf(self.pieces[-1][1])
        if len(self.pieces) == 1:
            return {0: "interval", 1: "ray", 2: "whole line"}[sum(ends)]
        return "two rays" if len(self.pieces) == 2 and all(ends) else "union"

    def __contains__(self, value: float) -> bool:
        return any(lower <= value <= upper for lower, upper in self.pieces)

    def __str__(self) -> str:
        shown = " and ".join(f"[{lower:.6g}, {upper:.6g}]" for lower, upper in self.pieces)
        return f"{self.form} {shown}".strip() if self.pieces else "empty"


@dataclass(frozen=True, eq=False)
class AndersonRubin:
    """What the Anderson-Rubin test needs of the data: the reduced forms of outcome and endogenous
    regressors.

    Attributes
    ----------
    slopes : (l1, 1 + k1) coefficients of y and X1 on the orthonormal excluded instruments
    covariances : (1 + k1, 1 + k1, l1, l1) of these slopes between columns, in large-sample form
    df2 : denominator degrees of freedom of F
    per_f : what chi2 is divided by to become F
    """

    slopes: np.ndarray
    covariances: np.ndarray
    df2: float
    per_f: float

    @property
    def restrictions(self) -> int:
        return int(self.slopes.shape[0])

    def chi2(self, null: Sequence[float] | float = 0.0) -> float:
        """Statistic of the null that the endogenous regressors have the coefficients given (a
        number for one, in order for several)."""
        contrast = np.concatenate([[1.0], -np.atleast_1d(np.asarray(null, dtype=float))])
        if len(contrast) != self.slopes.shape[1]:
            raise ValueError(
                f"the null has {len(contrast) - 1} values for {self.slopes.shape[1] - 1} endogenous"
                " regressors. Give one for each."
            )
        slope = self.slopes @ contrast
        covariance = np.einsum("i,j,ijkl->kl", contrast, contrast, self.covariances)
        if is_singular(covariance):
            return float("nan")
        return float(slope @ np.linalg.solve(covariance, slope))

    def tests(self, null: Sequence[float] | float = 0.0) -> dict[str, Test]:
        """The F and the chi-squared form of the test."""
        chi2, l1 = self.chi2(null), self.restrictions
        said = (
            "the endogenous regressors have coefficients"
            f" {np.atleast_1d(np.asarray(null, dtype=float)).tolist()}"
        )
        f = chi2 / self.per_f
        return {
            "anderson_rubin_f": Test(
                "Anderson-Rubin F", f, l1, float(stats.f.sf(f, l1, self.df2)), self.df2, said
            ),
            "anderson_rubin_chi2": Test(
                "Anderson-Rubin chi2", chi2, l1, float(stats.chi2.sf(chi2, l1)), null=said
            ),
        }

    def confidence_set(self, level: float = 0.95) -> ConfidenceSet:
        """Coefficients of the one endogenous regressor that the F form of the test does not reject
        at 1 - level.

        Raises
        ------
        ValueError : several endogenous regressors (their joint set has no pieces to list), or a
            level outside 0-1.
        """
        if self.slopes.shape[1] != 2:
            raise ValueError(
                "a confidence set is given for one endogenous regressor. For several, "
                "test joint values with tests()."
            )
        critical = float(stats.f.ppf(level_of(level), self.restrictions, self.df2)) * self.per_f
        if is_singular(self.covariances[0, 0]) or is_singular(self.covariances[1, 1]):
            raise ValueError(
                "the Anderson-Rubin test cannot be computed: its covariance has no inverse, "
                "as with fewer clusters than instruments."
            )
        return ConfidenceSet(level, _pieces(self, critical))


def anderson_rubin(model: Model) -> AndersonRubin:
    """Collect the reduced forms; with iid errors the residuals are taken to be of one variance,
    else as the model says."""
    instruments = model.q_excluded
    columns = np.column_stack([model.y, model.x1])
    residuals = residual_maker(columns, model.q)
    m, l1 = columns.shape[1], model.l1
    if model.errors.kind == "iid":
        covariances = np.einsum("ij,kl->ijkl", residuals.T @ residuals / model.n, np.eye(l1))
    else:
        scores = (residuals[:, :, None] * instruments[:, None, :]).reshape(len(columns), m * l1)
        covariances = (
            model.errors.covariance_of_sums(scores).reshape(m, l1, m, l1).transpose(0, 2, 1, 3)
        )
    per_f = 1 / model.f_from_chi2(1.0, l1, model.df_instruments)
    return AndersonRubin(
        instruments.T @ columns, covariances, model.f_df2(model.df_instruments), per_f
    )


def stock_wright(model: Model) -> Test:
    """Stock and Wright's S (2000) of the null that the endogenous regressors have no effect.

    g'S^-1 g for the moments of all instruments, with the residuals of the outcome on the exogenous
    regressors alone, as ivreg2 has it.
    """
    q = model.q
    outcome = residual_maker(model.y[:, None], model.q_exogenous)[:, 0]
    covariance = model.errors.moment_covariance(q, outcome, model.n)
    sums = q.T @ outcome
    s = float("nan") if is_singular(covariance) else float(sums @ np.linalg.solve(covariance, sums))
    return Test(
        "Stock-Wright S",
        s,
        model.l1,
        float(stats.chi2.sf(s, model.l1)),
        null="the endogenous regressors have no effect",
    )


def _pieces(test: AndersonRubin, critical: float) -> tuple[tuple[float, float], ...]:
    """The pieces of the line where chi2 <= critical.

    chi2(b) <= c if and only if c V(b) - s(b) s(b)' has no negative eigenvalue, where the slopes s
    are linear and their covariance V quadratic in b. So all ends are roots of the determinant of a
    quadratic matrix polynomial: eigenvalues of its companion pencil.
    """
    centre, unit = _scale(test)
    candidates = sorted(centre + unit * root for root in _roots(test, critical, centre, unit))
    inside = [_accepts(test, critical, point) for point in _between(candidates, unit)]
    ends = [-np.inf, *[_polished(test, critical, root, unit) for root in candidates], np.inf]
    pieces: list[tuple[float, float]] = []
    for accepted, lower, upper in zip(inside, ends[:-1], ends[1:], strict=True):
        if not accepted:
            continue
        if pieces and pieces[-1][1] == lower:
            pieces[-1] = (pieces[-1][0], float(upper))
        else:
            pieces.append((float(lower), float(upper)))
    return tuple(pieces)


def _scale(test: AndersonRubin) -> tuple[float, float]:
    """A centre and a unit of length for the coefficient, so that the polynomial is well
    conditioned."""
    weight = np.linalg.inv(test.covariances[1, 1])
    y, x = test.slopes[:, 0], test.slopes[:, 1]
    strength = float(x @ weight @ x)
    spread = float(np.sqrt(np.trace(test.covariances[0, 0]) / np.trace(test.covariances[1, 1])))
    return float(x @ weight @ y) / strength, spread / max(1.0, np.sqrt(strength))


def _roots(test: AndersonRubin, critical: float, centre: float, unit: float) -> list[float]:
    """Real roots t of det(c V(b) - s(b) s(b)') = 0 with b = centre + unit t."""
    v, s = test.covariances, test.slopes
    # Outcome less b X1 = (y - centre X1) - t (unit X1)
    turn = np.array([[1.0, 0.0], [-centre, unit]])
    s = s @ turn
    v = np.einsum("ia,ijkl,jb->abkl", turn, v, turn)
    constant = critical * v[0, 0] - np.outer(s[:, 0], s[:, 0])
    linear = (
        -critical * (v[0, 1] + v[1, 0]) + np.outer(s[:, 0], s[:, 1]) + np.outer(s[:, 1], s[:, 0])
    )
    square = critical * v[1, 1] - np.outer(s[:, 1], s[:, 1])
    l1, none = test.restrictions, np.zeros_like(constant)
    left = np.block([[none, np.eye(l1)], [-constant, -linear]])
    right = np.block([[np.eye(l1), none], [none, square]])
    values = linalg.eigvals(left, right)
    values = values[np.isfinite(values)]
    real = values[np.abs(values.imag) <= 1e-6 * (1 + np.abs(values))].real
    return [float(value) for value in real if abs(value) < 1e12]


def _between(points: list[float], unit: float) -> list[float]:
    """One point inside each piece into which the sorted points cut the line."""
    if not points:
        return [0.0]
    reach = max(unit, points[-1] - points[0])
    return [points[0] - reach, *[(a + b) / 2 for a, b in pairwise(points)], points[-1] + reach]


def _accepts(test: AndersonRubin, critical: float, value: float) -> bool:
    statistic = test.chi2(value)
    return bool(statistic <= critical)


def _polished(test: AndersonRubin, critical: float, root: float, unit: float) -> float:
    """The root to the last digits, if the statistic crosses the critical value next to it."""
    step = 1e-6 * max(unit, abs(root))
    low, high = test.chi2(root - step) - critical, test.chi2(root + step) - critical
    if not low * high < 0:
        return root
    return float(
        optimize.brentq(
            lambda value: test.chi2(value) - critical,
            root - step,
            root + step,
            xtol=1e-15 * max(1.0, abs(root)),
            rtol=1e-14,
        )
    )
