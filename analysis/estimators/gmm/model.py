"""Difference and system GMM for dynamic panels: Arellano and Bond (1991), Arellano and Bover
(1995), Blundell and Bond (1998).

The conventions are those of Stata's xtabond2 as Roodman (2009, Stata Journal 9(1), 86-136)
describes and prints them; gretl's dpanel agrees where it offers the same. With n rows of the level
equation in a system, of the transformed equation otherwise, k terms, G units:

    equations    transformed (first differences, or forward orthogonal deviations) and, in a system,
                 levels
    first step   weighting by H: 3 the full covariance of independent level errors, 2 without the
                 blocks between the equations, 1 the identity
    errors       one step: conventional, or robust to any correlation inside a unit; two steps:
                 conventional, or Windmeijer's (2005)
    small        covariance times n/(n-k+1) G/(G-1) (robust), or n/(n-k) (one step, conventional); t
                 and F instead of z and chi2
    sigma2       sum of squares of transformed residuals / (2n); not halved for deviations; with
                 weighting 1 / n, of level residuals in a system
    Sargan       Z'e (Z'HZ)^-1 Z'e / sigma2 after the first step; Hansen: with the two-step weights,
                 also after one robust step
    Wald, F      of all terms but the constant; with time effects also of the others and of the time
                 effects apart

`conventions` moves sigma2 (so Sargan and conventional one-step errors) and the factors of `small`,
and nothing else:

    published      as above: what xtabond2 printed in 2009, and gretl
    xtabond2_3.7   in a system with weighting above 1, sigma2 is divided by the transformed rows;
                   the robust factor is (n-1)/(n-k) G/(G-1)
    dpd            sigma2 is the reported equation's sum of squares / (2(n-k)): gretl --dpdstyle,
                   Ox/DPD (use weighting 2 with it in a system)

gretl differs in two places: it differences across gaps, where here, as in xtabond2, a difference
after a gap is missing; and its conventional one-step errors (--asymptotic without --dpdstyle) are
those given here divided by the square root of 2.

Collinear regressors are dropped, the constant counted first and then the order given. Collinear
instruments do not count as instruments, and a weighting matrix that is singular is inverted by
Moore and Penrose, as gretl does (see gmm.inverse).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.options import (
    ArEquation,
    CovarianceOption,
    GmmConventions,
    GmmEquation,
    GmmInverse,
    GmmSmall,
    GmmSteps,
    GmmSystem,
    GmmTimeEffects,
    GmmWeighting,
    Transform,
    Where,
    checked,
)
from analysis.estimators.gmm.panel import Panel, make_panel
from analysis.estimators.gmm.report import Call, report
from analysis.estimators.gmm.result import DynamicGMMResult
from analysis.estimators.gmm.specification import Specification, check, is_robust
from analysis.estimators.gmm.specs import GMM, IV, asked_for
from analysis.estimators.gmm.stack import Stacked, complete_rows, error_covariance, stack
from analysis.estimators.gmm.steps import Equations, estimate
from analysis.estimators.gmm.terms import TermSpec, expand


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
    covariance: CovarianceOption = "robust",
    small: GmmSmall = "none",
    where: Where | None = None,
    equations: GmmSystem = "system",
    transform: Transform = "difference",
    steps: GmmSteps = 2,
    weighting: GmmWeighting = 3,
    constant: bool | None = None,
    time_effects: GmmTimeEffects = False,
    time_effects_equation: GmmEquation = "level",
    ar_orders: int = 2,
    ar_equation: ArEquation = "difference",
    conventions: GmmConventions = "published",
    inverse: GmmInverse = "moore_penrose",
) -> DynamicGMMResult:
    """Estimate y_it = sum_k b_k x_kit + a_i + e_it where regressors, lags of y among them, may be
    correlated with a_i and with past e.

    Parameters
    ----------
    frame : one row a unit and period, in any order, with gaps; other columns are ignored and
        nothing in it is modified
    outcome : numeric column
    regressors : terms: columns, "L.n", "L(0/2).(k ys)", Lag("n", 1, 2); lags go by the time column,
        not by rows
    gmm, iv : instruments, as GMM and IV objects (or mappings of their fields); a regressor is an
        instrument only if named here
    unit, time : columns that identify a row; time holds whole numbers, `time_step` apart
    covariance : "robust" to any correlation inside a unit, which is {"cluster": [unit]} and after
        two steps Windmeijer's; or "iid", conventional; see the module's text
    small : "none", or "xtabond2" for small-sample factors, t and F
    where : rows to estimate on, a column or a mask. The others carry no equation and stay for lags,
        differences, deviations and instruments
    equations : "system" adds the level equation; "difference" is the transformed equation alone
    transform : "difference", or "orthogonal" for forward orthogonal deviations, which lose fewer
        rows to gaps
    steps, weighting : see the module's text
    constant : default: a constant in the level equation of a system, none in difference GMM. True
        in difference GMM puts a column of ones, untransformed, into the transformed equation (a
        trend in levels, as Ox/DPD has it)
    time_effects : True makes dummies of all periods used but the first, transformed like any
        regressor and IV-style instruments of their own; "undifferenced" (difference GMM) puts them
        into the differenced equation as they are
    time_effects_equation : where a system uses them as instruments
    ar_orders : highest order of the Arellano-Bond tests; ar_equation : whose residuals they look at
        ("level" in a system only)
    conventions : see the module's text
    inverse : how a singular weighting matrix is inverted: "moore_penrose", or "drop" some of the
        collinear instruments

    The paper agglomeration_exports explains ln exports by its lag and by agglomeration and other
    city traits that are endogenous, each instrumented by its own first lag in the transformed
    equation, the district's land area standing outside the model as an instrument for the levels:

        endogenous = ["ln_agg", "ln_gdp_per_head", "ln_fdi"]
        own = [GMM(x, lags=(1, 1), name="own lags") for x in endogenous]
        dynamic_gmm(
            panel, "ln_exports", ["L.ln_exports", *endogenous, "ln_roads"],
            gmm=[GMM("L.ln_exports", name="lagged exports"), *own],
            iv=[IV("ln_roads"), IV("ln_district_area", equation="level", name="land area")],
            unit="city_code", time="year", time_effects=True,
        )

    lags=(1, 1) takes x of the year before, valid if x does not react to the same year's shock;
    lags=(2, 2), if it may.

    Raises
    ------
    ValueError : unknown, non-numeric or unreadable terms; duplicate unit and time (named); options
        that contradict each other; no complete row; fewer instruments than regressors; a regressor
        that the instruments do not identify. Each says what to do.
    """
    started = perf_counter()
    given: dict[str, Any] = {"outcome": outcome, "unit": unit, "time": time, "small": small}
    given |= {"equations": equations, "transform": transform, "constant": constant}
    given |= {"steps": steps, "weighting": weighting, "inverse": inverse}
    given |= {"time_effects": time_effects, "time_effects_equation": time_effects_equation}
    given |= {"ar_orders": ar_orders, "ar_equation": ar_equation, "conventions": conventions}
    given["robust"] = is_robust(covariance, unit)
    spec = _specified([str(column) for column in frame.columns], regressors, gmm, iv, given)
    panel, dropped = _complete(make_panel(frame, spec.columns, unit, time, time_step, where), spec)
    stacked = stack(panel, spec)
    fitted = estimate(_equations(spec, stacked), steps, spec.robust, stacked.names)
    return report(Call(frame, spec, panel, stacked, fitted, dropped), started)


def _specified(
    columns: list[str], regressors: Any, gmm: Any, iv: Any, given: dict[str, Any]
) -> Specification:
    """The specification: terms and instruments of the columns that there are, other options as they
    were given.
    """
    system = checked("equations", given["equations"], GmmSystem) == "system"
    constant = system if given["constant"] is None else given["constant"]
    spec = Specification(
        **given | {"constant": constant},
        regressors=expand(regressors, columns),
        gmm=asked_for(gmm, GMM, columns, system),
        iv=asked_for(iv, IV, columns, system),
    )
    check(spec)
    return spec


def _complete(panel: Panel, spec: Specification) -> tuple[Panel, dict[str, int]]:
    """The panel of the units that have a complete row, and the rows of the frame left out so far,
    by reason."""
    complete, reasons = complete_rows(panel, spec)
    if not complete.any():
        left_out = ", ".join(f"{reason}: {int(lost.sum()):,}" for reason, lost in reasons.items())
        raise ValueError(
            f"no row has the outcome and all regressors ({left_out}). Shorten the lags or fill the"
            " columns."
        )
    dropped = dict(panel.keyless) | {reason: int(lost.sum()) for reason, lost in reasons.items()}
    return panel.only(np.asarray(complete.any(axis=0))), dropped


def _equations(spec: Specification, stacked: Stacked) -> Equations:
    """The stacked arrays with the first step's assumptions."""
    t = len(stacked.levels_y)
    transformed, reported = slice(0, t), slice(t, None) if spec.system else slice(0, t)
    if not (stacked.used[reported].any() and stacked.used[transformed].any()):
        raise ValueError(
            "no row is left once the unit effects are taken out: no unit has two periods that "
            "can be compared. Shorten the lags or close gaps."
        )
    if len(stacked.z.columns) < len(stacked.names):
        raise ValueError(
            f"{len(stacked.z.columns)} instruments cannot identify {len(stacked.names)} regressors."
            " Add lags or instruments."
        )
    error_rows = reported if spec.conventions == "dpd" or spec.weighting == 1 else transformed
    counted = error_rows if spec.conventions == "xtabond2_3.7" else reported
    return Equations(
        y=stacked.y,
        x=stacked.x,
        used=stacked.used,
        z=stacked.z,
        h=error_covariance(spec, t),
        error_rows=error_rows,
        error_factor=(
            1.0
            if spec.transform == "orthogonal" or (spec.weighting == 1 and spec.conventions != "dpd")
            else 2.0
        ),
        error_count=int(stacked.used[counted].sum())
        - (len(stacked.names) if spec.conventions == "dpd" else 0),
        inverse=spec.inverse,
    )
