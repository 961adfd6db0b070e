"""Difference and system GMM for dynamic panels: Arellano and Bond (1991), Arellano and Bover (1995), Blundell and Bond (1998).

The conventions are those of Stata's xtabond2 as Roodman (2009, Stata Journal 9(1), 86-136) describes and prints them; gretl's dpanel
agrees where it offers the same. With n rows of the level equation in a system, of the transformed equation otherwise, k terms, G units:

    equations    transformed (first differences, or forward orthogonal deviations) and, in a system, levels
    first step   weighting by H: h=3 the full covariance of independent level errors, h=2 without the blocks between the equations,
                 h=1 the identity
    errors       one step: conventional, or robust to any correlation inside a unit; two steps: conventional, or Windmeijer's (2005)
    small        covariance times n/(n-k+1) G/(G-1) (robust), or n/(n-k) (one step, conventional); t and F instead of z and chi2
    sigma2       sum of squares of transformed residuals / (2n); not halved for deviations; with h=1 / n, of level residuals in a system
    Sargan       Z'e (Z'HZ)^-1 Z'e / sigma2 after the first step; Hansen: with the two-step weights, also after one robust step
    Wald, F      of all terms but the constant; with time effects also of the others and of the time effects apart

`conventions` moves sigma2 (so Sargan and conventional one-step errors) and the factors of `small`, and nothing else:

    published      as above: what xtabond2 printed in 2009, and gretl
    xtabond2_3.7   in a system with h above 1, sigma2 is divided by the transformed rows; the robust factor is (n-1)/(n-k) G/(G-1)
    dpd            sigma2 is the reported equation's sum of squares / (2(n-k)): gretl --dpdstyle, Ox/DPD (use h=2 with it in a system)

gretl differs in two places: it differences across gaps, where here, as in xtabond2, a difference after a gap is missing; and its conventional
one-step errors (--asymptotic without --dpdstyle) are those given here divided by the square root of 2.

Collinear regressors are dropped, the constant counted first and then the order given. Collinear instruments do not count as instruments,
and a weighting matrix that is singular is inverted by Moore and Penrose, as gretl does (see gmm.steps.inverse_times).
"""

from __future__ import annotations

import time as clock
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import GmmConventions, GmmEquation, GmmInverse, GmmTimeEffects, Transform
from analysis.estimators.gmm.instruments import EQUATIONS, GMM, IV, group_label, lag_limits
from analysis.estimators.gmm.panel import make_panel
from analysis.estimators.gmm.result import Call, DynamicGMMResult, report
from analysis.estimators.gmm.stack import Specification, Stacked, complete_rows, error_covariance, stack
from analysis.estimators.gmm.steps import Equations, estimate
from analysis.estimators.gmm.terms import Lag, Term, TermSpec, expand

__all__ = ["GMM", "IV", "DynamicGMMResult", "Lag", "Term", "dynamic_gmm"]


def dynamic_gmm(
    frame: pd.DataFrame,
    outcome: str,
    regressors: TermSpec | Sequence[TermSpec],
    gmm: GMM | Mapping[str, Any] | Iterable[GMM | Mapping[str, Any]] = (),
    iv: IV | Mapping[str, Any] | Iterable[IV | Mapping[str, Any]] = (),
    *,
    unit: str = "city_code",
    time: str = "year",
    time_step: int = 1,
    equations: Literal["system", "difference"] = "system",
    transform: Transform = "difference",
    steps: Literal[1, 2] = 2,
    robust: bool = True,
    h: Literal[1, 2, 3] = 3,
    constant: bool | None = None,
    time_effects: GmmTimeEffects = False,
    time_effects_equation: GmmEquation = "level",
    small: bool = False,
    ar_orders: int = 2,
    ar_equation: Literal["difference", "level"] = "difference",
    conventions: GmmConventions = "published",
    inverse: GmmInverse = "moore_penrose",
) -> DynamicGMMResult:
    """Estimate y_it = sum_k b_k x_kit + a_i + e_it where regressors, lags of y among them, may be correlated with a_i and with past e.

    Parameters
    ----------
    frame : one row a unit and period, in any order, with gaps; other columns are ignored and nothing in it is modified
    outcome : numeric column
    regressors : terms: columns, "L.n", "L(0/2).(k ys)", Lag("n", 1, 2); lags go by the time column, not by rows
    gmm, iv : instruments, as GMM and IV objects (or mappings of their fields); a regressor is an instrument only if named here
    unit, time : columns that identify a row; time holds whole numbers, `time_step` apart
    equations : "system" adds the level equation; "difference" is the transformed equation alone
    transform : "difference", or "orthogonal" for forward orthogonal deviations, which lose fewer rows to gaps
    steps, robust, h : see the module's text; robust after two steps is Windmeijer's correction
    constant : default: a constant in the level equation of a system, none in difference GMM. True in difference GMM puts a column of
        ones, untransformed, into the transformed equation (a trend in levels, as Ox/DPD has it)
    time_effects : True makes dummies of all periods used but the first, transformed like any regressor and IV-style instruments of
        their own; "undifferenced" (difference GMM) puts them into the differenced equation as they are
    time_effects_equation : where a system uses them as instruments
    small : small-sample factors, t and F
    ar_orders : highest order of the Arellano-Bond tests; ar_equation : whose residuals they look at ("level" in a system only)
    conventions : see the module's text
    inverse : how a singular weighting matrix is inverted: "moore_penrose", or "drop" some of the collinear instruments

    agglomeration_exports explains ln exports by its lag and by agglomeration and other city traits that are endogenous, each instrumented by its own
    first lag in the transformed equation, the district's land area standing outside the model as an instrument for the levels:

        endogenous = ["ln_agg", "ln_gdp_per_head", "ln_fdi"]
        dynamic_gmm(
            panel, "ln_exports", ["L.ln_exports", *endogenous, "ln_roads"],
            gmm=[GMM("L.ln_exports", name="lagged exports"), *(GMM(x, lags=(1, 1), name="own lags") for x in endogenous)],
            iv=[IV("ln_roads"), IV("ln_district_area", equation="level", name="land area")],
            unit="city_code", time="year", time_effects=True,
        )

    lags=(1, 1) takes x of the year before, valid if x does not react to the same year's shock; lags=(2, 2), if it may.

    Raises
    ------
    ValueError : unknown, non-numeric or unreadable terms; duplicate unit and time (named); options that contradict each other; no
        complete row; fewer instruments than regressors; a regressor that the instruments do not identify. Each says what to do.
    """
    started = clock.perf_counter()
    columns = [str(column) for column in frame.columns]
    spec = _specification(columns, outcome, regressors, gmm, iv, equations, transform, constant, time, time_effects, time_effects_equation, h)
    _check_options(spec, steps, ar_orders, ar_equation, conventions, inverse)
    terms = [*spec.regressors, *(term for _, named, _ in (*spec.gmm, *spec.iv) for term in named)]
    panel = make_panel(frame, list(dict.fromkeys([outcome, *(term.column for term in terms)])), unit, time, time_step)
    complete, reasons = complete_rows(panel, spec)
    if not complete.any():
        left_out = ", ".join(f"{reason}: {int(lost.sum()):,}" for reason, lost in reasons.items())
        raise ValueError(f"no row has the outcome and all regressors ({left_out}). Shorten the lags or fill the columns.")
    dropped = dict(panel.keyless) | {reason: int(lost.sum()) for reason, lost in reasons.items()}
    part = panel.only(np.asarray(complete.any(axis=0)))
    stacked = stack(part, spec)
    model = _equations(spec, stacked, conventions, inverse)
    fitted = estimate(model, steps, robust, stacked.names)
    call = Call(frame, spec, part, stacked, fitted, dropped, unit, steps, robust, small, ar_orders, ar_equation, conventions)
    return report(call, started)


def _specification(
    columns: Sequence[str],
    outcome: str,
    regressors: TermSpec | Sequence[TermSpec],
    gmm: Any,
    iv: Any,
    equations: str,
    transform: Transform,
    constant: bool | None,
    time: str,
    time_effects: GmmTimeEffects,
    time_effects_equation: GmmEquation,
    h: int,
) -> Specification:
    """The call with its terms read and its instruments labelled."""
    if equations not in ("system", "difference"):
        raise ValueError(f"equations = {equations!r}: it is 'system' or 'difference'.")
    system = equations == "system"
    gmm_specs = [_one(spec, GMM) for spec in ([gmm] if isinstance(gmm, GMM | Mapping) else gmm)]
    iv_specs = [_one(spec, IV) for spec in ([iv] if isinstance(iv, IV | Mapping) else iv)]
    for spec in (*gmm_specs, *iv_specs):
        _check_instrument(spec, system)
    read = expand(regressors, columns)
    if Term(outcome) in read:
        raise ValueError(f"the outcome {outcome!r} is among the regressors. Its lags are 'L.{outcome}', 'L2.{outcome}'.")
    if any(term.label == CONSTANT for term in read):
        raise ValueError(f"a regressor cannot be called {CONSTANT!r}: the result has a term of that name. Rename the column.")
    return Specification(
        outcome=outcome,
        regressors=read,
        gmm=tuple((spec, *_named(spec, columns)) for spec in gmm_specs),
        iv=tuple((spec, *_named(spec, columns)) for spec in iv_specs),
        system=system,
        transform=transform,
        constant=system if constant is None else constant,
        time=time,
        time_effects=time_effects,
        time_effects_equation=time_effects_equation,
        h=h,
    )


def _one(spec: Any, kind: type) -> Any:
    if isinstance(spec, kind):
        return spec
    if isinstance(spec, Mapping):
        given = dict(spec)
        if isinstance(given.get("lags"), list):
            given["lags"] = tuple(given["lags"])
        return kind(**given)
    raise ValueError(f"{spec!r} is not an instrument. Give {kind.__name__}(...) or a mapping of its fields.")


def _named(spec: GMM | IV, columns: Sequence[str]) -> tuple[tuple[Term, ...], str]:
    terms = expand(spec.variables, columns)
    return terms, group_label(spec, [term.label for term in terms])


def _check_instrument(spec: GMM | IV, system: bool) -> None:
    if spec.equation not in EQUATIONS:
        raise ValueError(f"{spec}: equation is one of {', '.join(EQUATIONS)}.")
    if spec.equation == "level" and not system:
        raise ValueError(f"{spec}: difference GMM has no level equation. Use equations='system', or leave these instruments out.")
    if spec.passthrough and spec.equation == "both" and system:
        raise ValueError(f"{spec}: passthrough needs equation='difference' or 'level' in a system.")
    if isinstance(spec, GMM):
        lag_limits(spec.lags)


def _check_options(spec: Specification, steps: int, ar_orders: int, ar_equation: str, conventions: str, inverse: str) -> None:
    allowed = [
        ("transform", spec.transform, ("difference", "orthogonal")),
        ("steps", steps, (1, 2)),
        ("h", spec.h, (1, 2, 3)),
        ("time_effects", spec.time_effects, (False, True, "undifferenced")),
        ("time_effects_equation", spec.time_effects_equation, EQUATIONS),
        ("ar_equation", ar_equation, ("difference", "level")),
        ("conventions", conventions, ("published", "xtabond2_3.7", "dpd")),
        ("inverse", inverse, ("drop", "moore_penrose")),
    ]
    for name, value, values in allowed:
        if value not in values:
            raise ValueError(f"{name} = {value!r}: it is one of {', '.join(map(str, values))}.")
    if ar_orders < 0:
        raise ValueError(f"ar_orders = {ar_orders}: it is 0 or more.")
    if ar_equation == "level" and not spec.system:
        raise ValueError("ar_equation = 'level' looks at level residuals, which difference GMM does not have. Use equations='system'.")
    if spec.time_effects == "undifferenced" and (spec.system or spec.transform != "difference"):
        raise ValueError("time_effects = 'undifferenced' belongs to difference GMM in first differences. Use time_effects=True.")
    if spec.constant and not spec.system and spec.transform != "difference":
        raise ValueError("constant = True in difference GMM is a trend, for first differences only. Leave it out with orthogonal deviations.")
    if not (spec.gmm or spec.iv):
        raise ValueError("no instruments are given. Name them in gmm and iv, strictly exogenous regressors in iv too.")


def _equations(spec: Specification, stacked: Stacked, conventions: GmmConventions, inverse: GmmInverse) -> Equations:
    """The stacked arrays with the first step's assumptions."""
    t = len(stacked.levels_y)
    transformed, reported = slice(0, t), slice(t, None) if spec.system else slice(0, t)
    if not (stacked.used[reported].any() and stacked.used[transformed].any()):
        raise ValueError("no row is left once the unit effects are taken out: no unit has two periods that can be compared. Shorten the lags or close gaps.")
    if len(stacked.z.columns) < len(stacked.names):
        raise ValueError(f"{len(stacked.z.columns)} instruments cannot identify {len(stacked.names)} regressors. Add lags or instruments.")
    error_rows = reported if conventions == "dpd" or spec.h == 1 else transformed
    counted = error_rows if conventions == "xtabond2_3.7" else reported
    return Equations(
        y=stacked.y,
        x=stacked.x,
        z=stacked.z,
        h=error_covariance(spec, t),
        error_rows=error_rows,
        error_factor=1.0 if spec.transform == "orthogonal" or (spec.h == 1 and conventions != "dpd") else 2.0,
        error_count=int(stacked.used[counted].sum()) - (len(stacked.names) if conventions == "dpd" else 0),
        inverse=inverse,
    )
