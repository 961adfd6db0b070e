"""What a dynamic panel estimate reports: the result, its tests, the rows used, and what a reader should be warned of."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import rows
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import GmmConventions
from analysis.estimators.core.result import Caution, Result, Test
from analysis.estimators.gmm.instruments import Column
from analysis.estimators.gmm.panel import Panel, differenced, transform_matrix
from analysis.estimators.gmm.stack import Specification, Stacked
from analysis.estimators.gmm.steps import Estimate
from analysis.estimators.gmm.tests import Autocorrelation, autocorrelation, difference_tests, overidentification, wald


@dataclass(frozen=True, eq=False, kw_only=True)
class DynamicGMMResult(Result):
    """A difference or system GMM estimate.

    Attributes
    ----------
    equations : "system" or "difference"; transform : "difference" or "orthogonal"; steps : 1 or 2; h : 1, 2 or 3
    instruments_n : instruments, collinear ones not counted
    instrument_columns, instrument_used : what each instrument is, and whether it is counted (False: collinear); see `instruments`
    groups_tested : group of instruments -> the overidentification test without it, and its own; see `difference_tests`
    transformed_n, level_n : rows of each equation
    rows_per_unit : smallest, mean and largest number of rows of a unit
    first_period, last_period : of the rows used
    sigma2 : variance of the level errors
    dropped_terms : regressor -> why it was left out
    residuals : of the reported equation, indexed like sample
    """

    equations: str
    transform: str
    steps: int
    h: int
    robust: bool
    small: bool
    collapsed: bool
    instruments_n: int
    instrument_columns: tuple[Column, ...]
    instrument_used: np.ndarray
    groups_tested: Mapping[str, tuple[Test, Test]]
    transformed_n: int
    level_n: int
    rows_per_unit: tuple[int, float, int]
    first_period: int
    last_period: int
    sigma2: float
    dropped_terms: Mapping[str, str]
    residuals: pd.Series

    @property
    def instruments(self) -> pd.DataFrame:
        """One row an instrument: group, equation, period (missing: all), variable, lag, used."""
        described = [(c.group, c.equation, c.period, c.variable, c.lag) for c in self.instrument_columns]
        table = pd.DataFrame(described, columns=["group", "equation", "period", "variable", "lag"])
        table[["period", "lag"]] = table[["period", "lag"]].astype("Int64")
        return table.assign(used=self.instrument_used)

    @property
    def difference_tests(self) -> pd.DataFrame:
        """One row a group of instruments: the test without it (excluding, excluding_df, excluding_p), and its own (difference, df, p)."""
        names = ["excluding", "excluding_df", "excluding_p", "difference", "df", "p"]
        rows_of = [(a.statistic, int(a.df or 0), a.p, b.statistic, int(b.df or 0), b.p) for a, b in self.groups_tested.values()]
        return pd.DataFrame(rows_of, columns=names, index=pd.Index(list(self.groups_tested), name="group", dtype=object))

    def note(self) -> str:
        """One sentence: method, errors, instruments, units, periods, and what was left out."""
        unit, groups = next(iter(self.groups.items()))
        collapsed = " collapsed" if self.collapsed else ""
        span = f"{self.first_period}-{self.last_period}"
        left_out = "; ".join(f"{rows(count)} ({reason})" for reason, count in self.dropped.items()) or "no rows"
        terms = "".join(f"; {term} dropped: it {why}" for term, why in self.dropped_terms.items())
        return (
            f"{self.method} of {self.outcome}, {self.convention}, {self.instruments_n} instruments{collapsed}, "
            f"{groups:,} {unit}, {span}, {rows(self.n)}; left out: {left_out}{terms}."
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
    unit: str
    steps: int
    robust: bool
    small: bool
    ar_orders: int
    ar_equation: str
    conventions: GmmConventions

    @property
    def reported(self) -> np.ndarray:
        """(T, N) rows of the reported equation."""
        return self.stacked.used[-len(self.panel.periods) :]

    @property
    def n(self) -> int:
        return int(self.reported.sum())

    @property
    def units_n(self) -> int:
        return int(self.reported.any(axis=0).sum())

    @property
    def conventional(self) -> bool:
        return self.steps == 1 and not self.robust

    @property
    def small_factor(self) -> float:
        """Factor of `small` on the covariance."""
        n, k, groups = self.n, len(self.stacked.names), self.units_n
        if self.conventional:
            return self.variance_factor
        # The errors printed in 2009 have one degree of freedom more than the formula of the later code.
        return (n / (n - k + 1) if self.conventions == "published" else (n - 1) / (n - k)) * groups / (groups - 1)

    @property
    def variance_factor(self) -> float:
        """Factor of `small` on sigma2; dpd divides by n - k to begin with."""
        count = self.fitted.equations.error_count
        return 1.0 if self.conventions == "dpd" else count / (count - len(self.stacked.names))


def report(call: Call, started: float) -> DynamicGMMResult:
    names = list(call.stacked.names)
    covariance = call.fitted.covariance * (call.small_factor if call.small else 1.0)
    sigma2 = call.fitted.sigma2 * (call.variance_factor if call.small else 1.0)
    df_t, tests, groups = _all_tests(call, covariance, sigma2)
    sample, residuals, dropped = _rows_used(call)
    per_unit = call.reported.sum(axis=0)
    periods = call.panel.periods[call.reported.any(axis=1)]
    return DynamicGMMResult(
        method=_method(call),
        outcome=call.spec.outcome,
        coefficients=pd.Series(call.fitted.final.b, index=names, name="coefficient"),
        covariance=pd.DataFrame(covariance, index=names, columns=names),
        convention=_convention(call),
        df_t=df_t,
        n=call.n,
        groups={call.unit: call.units_n},
        dropped=dropped,
        sample=sample,
        tests=tests,
        equations="system" if call.spec.system else "difference",
        transform=call.spec.transform,
        steps=call.steps,
        h=call.spec.h,
        robust=call.robust,
        small=call.small,
        collapsed=any(spec.collapse for spec, _, _ in call.spec.gmm),
        instruments_n=int(call.fitted.first.kept.sum()),
        instrument_columns=call.fitted.equations.z.columns,
        instrument_used=call.fitted.first.kept,
        groups_tested=groups,
        transformed_n=int(call.stacked.used[: len(call.panel.periods)].sum()),
        level_n=call.n if call.spec.system else 0,
        rows_per_unit=(int(per_unit[per_unit > 0].min()), call.n / call.units_n, int(per_unit.max())),
        first_period=int(periods[0]),
        last_period=int(periods[-1]),
        sigma2=sigma2,
        dropped_terms=call.stacked.dropped,
        residuals=residuals,
        warnings=_warnings(call),
        seconds=clock.perf_counter() - started,
    )


def _method(call: Call) -> str:
    steps, kind = "two" if call.steps == 2 else "one", "system" if call.spec.system else "difference"
    return f"{steps}-step {kind} GMM{' in forward orthogonal deviations' if call.spec.transform == 'orthogonal' else ''}"


def _convention(call: Call) -> str:
    kind = "conventional" if not call.robust else "robust" if call.steps == 1 else "Windmeijer"
    clustered = f" clustered by {call.unit}" if call.robust else ""
    return f"{kind} SE{clustered}{', small-sample factors' if call.small else ''}"


def _warnings(call: Call) -> tuple[Caution, ...]:
    found = []
    instruments = int(call.fitted.first.kept.sum())
    if instruments > call.units_n:
        text = f"{instruments} instruments outnumber {call.units_n} {call.unit}, which weakens the Hansen test and biases two-step errors."
        found.append(Caution("many_instruments", text, "Collapse the instruments, or limit their lags."))
    collinear = int((~call.fitted.first.kept).sum())
    if collinear:
        found.append(Caution("omitted", f"collinear instruments, not counted: {collinear}."))
    second = call.fitted.second
    if second is not None and int(second.kept.sum()) < instruments:
        text = "The two-step covariance of the moments is singular and a generalised inverse is used; difference-in-Hansen may be negative."
        found.append(Caution("singular_weighting", text, "Use fewer instruments."))
    return tuple(found)


def _all_tests(call: Call, covariance: np.ndarray, sigma2: float) -> tuple[float | None, dict[str, Test], dict[str, tuple[Test, Test]]]:
    """Degrees of freedom of t, all tests by name, and the difference tests by group."""
    b, k = call.fitted.final.b, len(call.stacked.names)
    slopes = k - call.spec.constant
    df_t = float((call.n - slopes if call.conventional else call.units_n) - call.spec.constant) if call.small else None
    name = "F" if call.small else "Wald"
    effects = np.array([term in call.stacked.time_effects for term in call.stacked.names])
    sloped = np.array([term != CONSTANT for term in call.stacked.names])
    parts = {"wald": (sloped, "all terms"), "wald_regressors": (sloped & ~effects, "regressors"), "wald_time": (effects, "time effects")}
    tests = {
        key: wald(f"{name}, {label}", b[part], covariance[np.ix_(part, part)], int(part.sum()), df_t, f"the coefficients of {label} are zero")
        for key, (part, label) in parts.items()
        if part.any() and (effects.any() or key == "wald")
    }
    about = _residuals_tested(call)
    for order in range(1, call.ar_orders + 1):
        tests[f"ar{order}"] = autocorrelation(call.fitted, about, order, sigma2 if call.conventional else None)
    tests |= overidentification(call.fitted)
    whole = tests.get("hansen", tests["sargan"])
    groups = difference_tests(call.fitted, whole)
    for label, (without, own) in groups.items():
        tests |= {f"difference {label}": own, f"excluding {label}": without}
    return df_t, tests, groups


def _residuals_tested(call: Call) -> Autocorrelation:
    """Residuals of the equation that the Arellano-Bond tests look at; deviations are tested in first differences."""
    spec, t, final = call.spec, len(call.panel.periods), call.fitted.final
    level = call.ar_equation == "level"
    part = slice(t, None) if level else slice(0, t)
    if spec.transform == "orthogonal" and not level:
        x = differenced(call.stacked.levels_x)
        w = differenced(call.stacked.levels_y - np.tensordot(final.b, call.stacked.levels_x, axes=1))
    else:
        x, w = call.stacked.x[:, part], final.errors[part]
    c, identity = transform_matrix("difference", t), np.eye(t)
    own = identity if level or spec.h == 1 else c @ c.T
    # xtabond2 takes the covariance of all rows' errors with the tested ones as that of the transformed rows alone.
    cross = identity if spec.h == 1 else transform_matrix(spec.transform, t) @ c.T
    nothing = np.zeros((t, t))
    if spec.system:
        cross = np.concatenate([nothing, cross] if level else [cross, nothing])
    return Autocorrelation(w, x, call.stacked.used[part], own, cross)


def _rows_used(call: Call) -> tuple[pd.Index, pd.Series, dict[str, int]]:
    """Index labels of the rows used and their residuals, in the frame's order, and the rows left out by reason."""
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
        why = "an IV-style instrument missing" if call.spec.system else "nothing to compare with after the transformation, or an IV-style instrument missing"
        dropped[why] = lost
    return sample, pd.Series(errors[place][order], index=sample, name="residual"), dropped
