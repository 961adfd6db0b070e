"""Effects that are not constant: moderation by another variable, and a quadratic with its turning
point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.columns import check_columns, numbers, rows, usable_rows
from analysis.estimators.core.options import Percentiles, Where, columns_of, level_of
from analysis.estimators.core.outliers import percentile
from analysis.estimators.core.registry import Regression
from analysis.estimators.core.result import Report, Result, Test, glance_frame, tidy_frame
from analysis.estimators.core.sample import rows_asked


@dataclass(frozen=True, eq=False, kw_only=True)
class ModerationResult(Report):
    """y = b1 x + b2 m + b3 x m + controls.

    Attributes
    ----------
    fit : the estimator's result; the product's term is <x>_x_<m>
    interaction : term of the product
    marginal : a row a percentile of m: value of m, effect b1 + b3 m (m centred if it was),
        standard_error, t, p, lower, upper
    means : what was taken off x and m before the product (zeros without centring)
    """

    regressor: str
    moderator: str
    fit: Result
    interaction: str
    marginal: pd.DataFrame
    means: pd.Series

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """The regression's terms, then the effect of the regressor at each percentile of the
        moderator.
        """
        table = self.marginal
        terms = [
            f"p{percentile:g} = {value:.6g}"
            for percentile, value in zip(table.index, table["moderator"], strict=True)
        ]
        along = tidy_frame(f"{self.regressor} by {self.moderator}", terms,
            table["effect"].to_numpy(), table["standard_error"].to_numpy(),
                           df=self.fit.df_t, level=level)  # fmt: skip
        return pd.concat([self.fit.tidy(level), along], ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """The regression's row."""
        return self.fit.glance()

    def note(self) -> str:
        centred = "centred before the product" if self.means.any() else "not centred"
        return f"effect of {self.regressor} by {self.moderator}, {centred}; {self.fit.note()}"


@dataclass(frozen=True, eq=False, kw_only=True)
class QuadraticResult(Report):
    """y = b1 x + b2 x^2 + controls.

    Attributes
    ----------
    fit : the estimator's result; the square's term is <x>_squared
    turning_point, turning_point_se : -b1/(2 b2) with its delta-method error
    delta_interval, fieller_interval : of the turning point; Fieller's is infinite where b2 may be
        zero
    minimum, maximum : range of x in the sample, or as given
    slopes : rows minimum and maximum: slope b1 + 2 b2 x, standard_error, t, p (one-sided, for the
        shape)
    shape : "U" or "inverse U", by the sign of b2
    u_test : Lind and Mehlum (2010)
    """

    regressor: str
    fit: Result
    turning_point: float
    turning_point_se: float
    delta_interval: tuple[float, float]
    fieller_interval: tuple[float, float]
    minimum: float
    maximum: float
    slopes: pd.DataFrame
    shape: Literal["U", "inverse U"]
    u_test: Test
    level: float

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """The regression's terms, then the turning point with Fieller's interval, then the slopes
        at both ends, one-sided for the shape.
        """
        ends, df = self.slopes, self.fit.df_t
        part = f"shape in {self.regressor}"
        point = tidy_frame(
            part,
            ["turning point"],
            np.array([self.turning_point]),
            np.array([self.turning_point_se]),
            df=df,
            level=level,
        )
        errors, p = ends["standard_error"].to_numpy(), ends["p"].to_numpy()
        slopes = tidy_frame(
            part,
            [f"slope at {end}" for end in ends.index],
            ends["slope"].to_numpy(),
            errors,
            df=df,
            level=level,
            tested=(None, p),
        )
        if level == self.level:
            point[["conf_low", "conf_high"]] = self.fieller_interval
        return pd.concat([self.fit.tidy(level), point, slopes], ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """The regression's row, the shape, and Lind and Mehlum's test."""
        shape = pd.DataFrame([{"shape": self.shape, "turning_point": self.turning_point}])
        return pd.concat(
            [self.fit.glance(), shape, glance_frame({}, {}, {"lind_mehlum": self.u_test})], axis=1
        )

    def _below(self) -> list[str]:
        return [str(self.u_test)]

    def note(self) -> str:
        low, high = self.fieller_interval
        return (
            f"{self.shape} in {self.regressor} with turning point {self.turning_point:.4g}"
            f" ({self.level:.0%} Fieller interval {low:.4g} to {high:.4g}) over {self.minimum:.4g}"
            f" to {self.maximum:.4g}, Lind-Mehlum p = {self.u_test.p:.4f}; {self.fit.note()}"
        )


def moderation(
    frame: pd.DataFrame,
    outcome: str,
    regressor: str,
    moderator: str,
    controls: Sequence[str] = (),
    *,
    centre: bool = True,
    percentiles: Sequence[float] = (10, 25, 50, 75, 90),
    definition: Percentiles = "stata",
    level: float = 0.95,
    estimator: str = "linear_regression",
    options: Mapping[str, Any] | None = None,
    where: Where | None = None,
) -> ModerationResult:
    """Interact a regressor with a moderator and report its effect along the moderator.

    Parameters
    ----------
    centre : take the sample mean off both before the product, so that b1 is the effect at the mean
        of m
    percentiles, definition : of m, where the effect is reported; see outliers
    estimator, options : of the regression, as in mediation; default OLS
    where : rows to estimate on, a column or a mask; means, percentiles and ranges are theirs

    Raises
    ------
    ValueError : unknown or non-numeric columns, columns named twice, and what the estimator raises.
    """
    level_of(level)
    listed = columns_of("controls", controls, outcome=outcome, empty=True)
    pair, product = [regressor, moderator], f"{regressor}_x_{moderator}"
    run = Regression(estimator, options or {})
    frame, outside = rows_asked(frame, where)
    values, keep = _complete(frame, [outcome, *pair, *listed], run.columns, product)
    means = values.loc[keep, pair].mean() if centre else pd.Series(0.0, index=pair)
    x, m = values[regressor] - means[regressor], values[moderator] - means[moderator]
    work = frame.assign(**{regressor: x, moderator: m, product: x * m})
    fit = run(work, outcome, [*pair, product, *controls])
    fit = replace(fit, dropped=outside | dict(fit.dropped))
    seen = values.loc[keep, moderator].to_numpy()
    points = np.array([percentile(seen, p, definition) for p in percentiles])
    return ModerationResult(
        regressor=regressor,
        moderator=moderator,
        fit=fit,
        interaction=product,
        marginal=_marginal(fit, [regressor, product], points, means[moderator], level).set_axis(
            pd.Index(list(percentiles), name="percentile")
        ),
        means=means,
        warnings=fit.warnings,
    )


def _marginal(
    fit: Any, terms: list[str], points: np.ndarray, centre: float, level: float
) -> pd.DataFrame:
    """The effect of the regressor at values of the moderator; terms are it and the interaction."""
    at = points - centre
    v = fit.covariance.loc[terms, terms].to_numpy()
    effect = fit.coefficients[terms[0]] + fit.coefficients[terms[1]] * at
    error = np.sqrt(v[0, 0] + 2 * at * v[0, 1] + at**2 * v[1, 1])
    table = _tested(effect, error, _df(fit), level).assign(moderator=points)
    front = ["moderator", "effect"]
    return table[[*front, *(c for c in table.columns if c not in front)]]


def quadratic(
    frame: pd.DataFrame,
    outcome: str,
    regressor: str,
    controls: Sequence[str] = (),
    *,
    bounds: tuple[float, float] | None = None,
    level: float = 0.95,
    estimator: str = "linear_regression",
    options: Mapping[str, Any] | None = None,
    where: Where | None = None,
) -> QuadraticResult:
    """Add the square of a regressor, find the turning point, and test for a U (or inverse U) shape.

    Lind and Mehlum (2010, Oxford Bulletin of Economics and Statistics 72): a U needs a falling
    slope at the lower and a rising one at the upper end of the range; the test's statistic is the
    smaller of the two t and its p the larger of the two one-sided p (Stata's utest). A turning
    point outside the range leaves nothing to test: the statistic is then the slope's that has the
    wrong sign, and p exceeds 0.5.

    Parameters
    ----------
    bounds : range of x; default its minimum and maximum in the sample
    estimator, options : of the regression, as in mediation; default OLS
    where : rows to estimate on, a column or a mask; means, percentiles and ranges are theirs

    Raises
    ------
    ValueError : unknown or non-numeric columns, columns named twice, a square that is exactly zero,
        and what the estimator raises.
    """
    level_of(level)
    listed = columns_of("controls", controls, outcome=outcome, empty=True)
    square = f"{regressor}_squared"
    run = Regression(estimator, options or {})
    frame, outside = rows_asked(frame, where)
    values, keep = _complete(frame, [outcome, regressor, *listed], run.columns, square)
    work = frame.assign(**{square: values[regressor] ** 2})
    fit = run(work, outcome, [regressor, square, *controls])
    fit = replace(fit, dropped=outside | dict(fit.dropped))
    seen = values.loc[keep, regressor]
    low, high = bounds or (float(seen.min()), float(seen.max()))
    return QuadraticResult(
        regressor=regressor,
        fit=fit,
        minimum=low,
        maximum=high,
        **_turning(fit, [regressor, square], (low, high), level),
        level=level,
        warnings=fit.warnings,
    )


def _turning(fit: Any, terms: list[str], ends: tuple[float, float], level: float) -> dict[str, Any]:
    """Where the curve turns, how sure that is, and whether it turns between the ends; terms are the
    regressor and its square.
    """
    b1, b2 = (float(fit.coefficients[term]) for term in terms)
    if b2 == 0:
        raise ValueError(
            f"the square of {terms[0]} has a coefficient of exactly zero: there is no turning"
            " point."
        )
    v, df, tail = fit.covariance.loc[terms, terms].to_numpy(), _df(fit), (1 + level) / 2
    point = -b1 / (2 * b2)
    gradient = np.array([-1 / (2 * b2), b1 / (2 * b2**2)])
    error = float(gradient @ v @ gradient) ** 0.5
    width = float(stats.norm.ppf(tail) if df is None else stats.t.ppf(tail, df))
    slopes, test = _u_test(b1, b2, v, *ends, df)
    return {
        "turning_point": point,
        "turning_point_se": error,
        "delta_interval": (point - width * error, point + width * error),
        "fieller_interval": _fieller(b1, b2, v, width),
        "slopes": slopes,
        "shape": "U" if b2 > 0 else "inverse U",
        "u_test": test,
    }


def _u_test(
    b1: float, b2: float, v: np.ndarray, low: float, high: float, df: float | None
) -> tuple[pd.DataFrame, Test]:
    ends = np.array([low, high])
    slope = b1 + 2 * b2 * ends
    error = np.sqrt(v[0, 0] + 4 * ends * v[0, 1] + 4 * ends**2 * v[1, 1])
    t = slope / error
    # Signs that the shape asks for: falling then rising, or the other way round.
    right_way = t * (np.array([-1.0, 1.0]) if b2 > 0 else np.array([1.0, -1.0]))
    p = stats.norm.sf(right_way) if df is None else stats.t.sf(right_way, df)
    table = pd.DataFrame(
        {"x": ends, "slope": slope, "standard_error": error, "t": t, "p": p},
        index=["minimum", "maximum"],
    )
    worst = int(np.argmax(p))
    null = f"monotone or {'inverse U' if b2 > 0 else 'U'} shape"
    return table, Test("Lind-Mehlum", float(right_way[worst]), df, float(p[worst]), null=null)


def _fieller(b1: float, b2: float, v: np.ndarray, width: float) -> tuple[float, float]:
    """Turning points t with (b1 + 2 b2 t)^2 <= width^2 var(b1 + 2 b2 t)."""
    a = 4 * (b2**2 - width**2 * v[1, 1])
    b = 4 * (b1 * b2 - width**2 * v[0, 1])
    c = b1**2 - width**2 * v[0, 0]
    root = b**2 - 4 * a * c
    if a <= 0 or root < 0:
        return float("-inf"), float("inf")
    return float((-b - root**0.5) / (2 * a)), float((-b + root**0.5) / (2 * a))


def _complete(
    frame: pd.DataFrame, columns: list[str], labels: Sequence[str], added: str
) -> tuple[pd.DataFrame, np.ndarray]:
    """All rows as numbers, and which of them are complete: means and ranges come from those, the
    estimator counts the others itself.
    """
    if len(set(columns)) < len(columns) or added in columns:
        raise ValueError(
            f"outcome, regressors and controls are different columns, none called {added}; given:"
            f" {columns}."
        )
    check_columns(frame, [*columns, *labels])
    values = numbers(frame, columns)
    keep, dropped = usable_rows(frame[list(labels)], values)
    if not keep.any():
        raise ValueError(
            f"no row of {rows(len(frame))} is complete"
            f" ({', '.join(f'{reason}: {count}' for reason, count in dropped.items())})."
        )
    return values, keep


def _df(fit: Any) -> float | None:
    return None if fit.df_t is None else float(fit.df_t)


def _tested(effect: np.ndarray, error: np.ndarray, df: float | None, level: float) -> pd.DataFrame:
    t = effect / error
    p = 2 * (stats.norm.sf(np.abs(t)) if df is None else stats.t.sf(np.abs(t), df))
    width = stats.norm.ppf((1 + level) / 2) if df is None else stats.t.ppf((1 + level) / 2, df)
    return pd.DataFrame(
        {
            "effect": effect,
            "standard_error": error,
            "t": t,
            "p": p,
            "lower": effect - width * error,
            "upper": effect + width * error,
        }
    )
