"""From a fitted dynamic panel to its result: factors, tests, the rows used, and what a reader
should be warned of."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import pandas as pd

from analysis.estimators.core.inference import heavy_tails
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.result import Caution, Test
from analysis.estimators.gmm.cautions import cautions
from analysis.estimators.gmm.panel import Panel, differenced, transform_matrix
from analysis.estimators.gmm.result import DynamicGMMResult
from analysis.estimators.gmm.specification import Specification
from analysis.estimators.gmm.stack import Stacked
from analysis.estimators.gmm.steps import Estimate
from analysis.estimators.gmm.strength import first_stage
from analysis.estimators.gmm.tests import (
    Autocorrelation,
    autocorrelation,
    difference_tests,
    overidentification,
    wald,
)


@dataclass(frozen=True, eq=False)
class Call:
    """What a report needs."""

    frame: pd.DataFrame
    spec: Specification
    panel: Panel
    stacked: Stacked
    fitted: Estimate
    dropped: dict[str, int]

    @property
    def reported(self) -> np.ndarray:
        """(T, N) rows of the reported equation."""
        return self.stacked.used[-len(self.panel.periods) :]

    @property
    def outcomes(self) -> np.ndarray:
        """(n,) levels of the outcome in the rows of the reported equation."""
        return np.asarray(self.panel.columns[self.spec.outcome][self.reported])

    @property
    def n(self) -> int:
        return int(self.reported.sum())

    @property
    def units_n(self) -> int:
        return int(self.reported.any(axis=0).sum())

    @property
    def small_factor(self) -> float:
        """Factor of `small` on the covariance."""
        n, k, groups = self.n, len(self.stacked.names), self.units_n
        if self.spec.conventional:
            return self.variance_factor
        # The errors printed in 2009 have one degree of freedom more than the formula of the later
        # code.
        return (
            (n / (n - k + 1) if self.spec.conventions == "published" else (n - 1) / (n - k))
            * groups
            / (groups - 1)
        )

    @property
    def variance_factor(self) -> float:
        """Factor of `small` on sigma2; dpd divides by n - k to begin with."""
        count = self.fitted.equations.error_count
        return 1.0 if self.spec.conventions == "dpd" else count / (count - len(self.stacked.names))

    @property
    def covariance(self) -> np.ndarray:
        """(K, K) of the coefficients, in the convention asked for."""
        factor = self.small_factor if self.spec.small != "none" else 1.0
        return np.asarray(self.fitted.covariance * factor)

    @property
    def sigma2(self) -> float:
        """Variance of the level errors, in the convention asked for."""
        return self.fitted.sigma2 * (self.variance_factor if self.spec.small != "none" else 1.0)

    @property
    def rows_per_unit(self) -> tuple[int, float, int]:
        """Smallest, mean and largest number of rows of a unit."""
        counts = self.reported.sum(axis=0)
        return int(counts[counts > 0].min()), self.n / self.units_n, int(counts.max())

    @property
    def span(self) -> tuple[int, int]:
        """First and last period of the rows used."""
        periods = self.panel.periods[self.reported.any(axis=1)]
        return int(periods[0]), int(periods[-1])


def report(call: Call, started: float) -> DynamicGMMResult:
    """The result of a fitted panel, with its tests and cautions; started is when the work began, by
    perf_counter."""
    names = list(call.stacked.names)
    df_t, tests, groups = _all_tests(call)
    sample, residuals, dropped = _rows_used(call)
    strength = first_stage(call.fitted.equations, call.fitted.zx, call.stacked.names)
    return DynamicGMMResult(
        method=_method(call),
        outcome=call.spec.outcome,
        coefficients=pd.Series(call.fitted.final.b, index=names, name="coefficient"),
        covariance=pd.DataFrame(call.covariance, index=names, columns=names),
        convention=_convention(call),
        df_t=df_t,
        n=call.n,
        groups={call.spec.unit: call.units_n},
        dropped=dropped,
        sample=sample,
        tests=tests,
        equations=call.spec.equations,
        transform=call.spec.transform,
        steps=call.spec.steps,
        weighting=call.spec.weighting,
        robust=call.spec.robust,
        small=call.spec.small,
        collapsed=any(spec.collapse for spec, _, _ in call.spec.gmm),
        instruments_n=int(call.fitted.first.kept.sum()),
        instrument_columns=call.fitted.equations.z.columns,
        instrument_used=call.fitted.first.kept,
        groups_tested=groups,
        transformed_n=int(call.stacked.used[: len(call.panel.periods)].sum()),
        level_n=call.n if call.spec.system else 0,
        rows_per_unit=call.rows_per_unit,
        first_period=call.span[0],
        last_period=call.span[1],
        sigma2=call.sigma2,
        first_stage=strength,
        dropped_terms=call.stacked.dropped,
        residuals=residuals,
        warnings=_warnings(call, strength, tests),
        seconds=perf_counter() - started,
    )


def _warnings(call: Call, strength: pd.Series, tests: dict[str, Test]) -> tuple[Caution, ...]:
    found = cautions(call.spec, call.stacked, call.fitted, call.units_n, strength, tests)
    return (*found, *heavy_tails(call.spec.outcome, call.outcomes))


def _method(call: Call) -> str:
    steps, kind = (
        "two" if call.spec.steps == 2 else "one",
        "system" if call.spec.system else "difference",
    )
    return (
        f"{steps}-step {kind}"
        f" GMM{' in forward orthogonal deviations' if call.spec.transform == 'orthogonal' else ''}"
    )


def _convention(call: Call) -> str:
    kind = (
        "conventional"
        if not call.spec.robust
        else "robust"
        if call.spec.steps == 1
        else "Windmeijer"
    )
    clustered = f" clustered by {call.spec.unit}" if call.spec.robust else ""
    return f"{kind} SE{clustered}{', small-sample factors' if call.spec.small != 'none' else ''}"


def _all_tests(call: Call) -> tuple[float | None, dict[str, Test], dict[str, tuple[Test, Test]]]:
    """Degrees of freedom of t, all tests by name, and the difference tests by group."""
    b, k, covariance = call.fitted.final.b, len(call.stacked.names), call.covariance
    slopes = k - call.spec.constant
    df_t = (
        float((call.n - slopes if call.spec.conventional else call.units_n) - call.spec.constant)
        if call.spec.small != "none"
        else None
    )
    name = "F" if call.spec.small != "none" else "Wald"
    effects = np.array([term in call.stacked.time_effects for term in call.stacked.names])
    sloped = np.array([term != CONSTANT for term in call.stacked.names])
    parts = {
        "wald": (sloped, "all terms"),
        "wald_regressors": (sloped & ~effects, "regressors"),
        "wald_time": (effects, "time effects"),
    }
    tests = {
        key: wald(
            f"{name}, {label}",
            b[part],
            covariance[np.ix_(part, part)],
            int(part.sum()),
            df_t,
            f"the coefficients of {label} are zero",
        )
        for key, (part, label) in parts.items()
        if part.any() and (effects.any() or key == "wald")
    }
    about = _residuals_tested(call)
    for order in range(1, call.spec.ar_orders + 1):
        tests[f"ar{order}"] = autocorrelation(
            call.fitted, about, order, call.sigma2 if call.spec.conventional else None
        )
    tests |= overidentification(call.fitted)
    whole = tests.get("hansen", tests["sargan"])
    groups = difference_tests(call.fitted, whole)
    for label, (without, own) in groups.items():
        tests |= {f"difference {label}": own, f"excluding {label}": without}
    return df_t, tests, groups


def _residuals_tested(call: Call) -> Autocorrelation:
    """Residuals of the equation that the Arellano-Bond tests look at; deviations are tested in
    first differences."""
    spec, t, final = call.spec, len(call.panel.periods), call.fitted.final
    level = call.spec.ar_equation == "level"
    part = slice(t, None) if level else slice(0, t)
    if spec.transform == "orthogonal" and not level:
        x = differenced(call.stacked.levels_x)
        w = differenced(
            call.stacked.levels_y - np.tensordot(final.b, call.stacked.levels_x, axes=1)
        )
    else:
        x, w = call.stacked.x[:, part], final.errors[part]
    c, identity = transform_matrix("difference", t), np.eye(t)
    own = identity if level or spec.weighting == 1 else c @ c.T
    # xtabond2 takes the covariance of all rows' errors with the tested ones as that of the
    # transformed rows alone.
    cross = identity if spec.weighting == 1 else transform_matrix(spec.transform, t) @ c.T
    nothing = np.zeros((t, t))
    if spec.system:
        cross = np.concatenate([nothing, cross] if level else [cross, nothing])
    return Autocorrelation(w, x, call.stacked.used[part], own, cross)


def _rows_used(call: Call) -> tuple[pd.Index, pd.Series, dict[str, int]]:
    """Index labels of the rows used and their residuals, in the frame's order, and the rows left
    out by reason."""
    place = call.reported
    errors = call.fitted.final.errors[-len(call.panel.periods) :]
    if call.spec.transform == "orthogonal" and not call.spec.system:
        place, errors = np.roll(place, -1, axis=0), np.roll(errors, -1, axis=0)
    position = call.panel.row[place]
    order = np.argsort(position)
    sample = call.frame.index[position[order]]
    dropped = dict(call.dropped)
    lost = len(call.frame) - sum(dropped.values()) - call.n
    if lost:
        why = (
            "an IV-style instrument missing"
            if call.spec.system
            else (
                "nothing to compare with after the transformation, "
                "or an IV-style instrument missing"
            )
        )
        dropped[why] = lost
    return sample, pd.Series(errors[place][order], index=sample, name="residual"), dropped
