"""Staggered effects, mediation and the bootstrap's coefficient anew, from least squares of
statsmodels alone: a regression a cell, or dummies on the rows that are not treated.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.report.recomputers import Arguments, Slopes, dummy_slopes

NEVER = np.inf


def callaway_slopes(frame: pd.DataFrame, arguments: Arguments) -> Slopes:
    """A regression of long differences on belonging to the cohort for each cohort and year; their
    mean by the cohorts' sizes ("simple").
    """
    from statsmodels.api import OLS, add_constant

    follows = dict(arguments["then"][0][1]) if arguments.get("then") else {}
    if arguments.get("controls") or follows.get("kind", "simple") != "simple":
        return {}
    wide, cohort = _wide(frame, arguments)
    effects, sizes = [], []
    for first in sorted(set(cohort) - {NEVER}):
        if first - 1 not in wide.columns:
            continue
        for year in [one for one in wide.columns if one >= first]:
            later = cohort > year if arguments.get("control") == "notyettreated" else False
            here = (cohort == first) | (cohort == NEVER) | later
            member = (cohort[here] == first).astype(float).rename("member")
            change = (wide[year] - wide[first - 1])[here]
            effects.append(float(OLS(change, add_constant(member)).fit().params["member"]))
            sizes.append(float(member.sum()))
    return {"overall": float(np.average(effects, weights=sizes))}


def imputation_slopes(frame: pd.DataFrame, arguments: Arguments) -> Slopes:
    """Dummies on rows not yet treated; the mean of what treated rows have beyond that."""
    from statsmodels.api import OLS

    outcome, unit, time = (arguments[name] for name in ("outcome", "unit", "time"))
    controls = list(arguments.get("controls", ()))
    cohort = frame[arguments["cohort"]].astype(float).replace(0, NEVER).fillna(NEVER)
    rows = frame[_asked(frame, arguments) & frame[[outcome, *controls]].notna().all(axis=1)]
    dummies = [pd.get_dummies(rows[name].astype(str), prefix=name, dtype=float)
               for name in (unit, time)]  # fmt: skip
    x = pd.concat([rows[controls].astype(float), dummies[0], dummies[1].iloc[:, 1:]], axis=1)
    treated = (rows[time].astype(float) >= cohort[rows.index]).to_numpy()
    y = rows[outcome].astype(float)
    fitted = OLS(y[~treated], x[~treated]).fit()
    return {"overall": float((y[treated] - x[treated] @ fitted.params).mean())}


def mediation_slopes(frame: pd.DataFrame, arguments: Arguments) -> Slopes:
    """The regressions of mediator and outcome, with dummies; the indirect effect is a product."""
    if arguments.get("estimator") != "fixed_effects":
        return {}
    effects = list(arguments["options"]["effects"])
    treatment, mediator = arguments["treatment"], arguments["mediator"]
    controls = list(arguments.get("controls", ()))
    outcome = arguments["outcome"]
    columns = [outcome, treatment, mediator, *controls, *effects]
    rows = frame[_asked(frame, arguments) & frame[columns].notna().all(axis=1)]
    on_mediator = dummy_slopes(rows, mediator, [treatment, *controls], effects)
    on_outcome = dummy_slopes(rows, outcome, [treatment, mediator, *controls], effects)
    a, b = on_mediator[treatment], on_outcome[mediator]
    return {"a": a, "b": b, "direct": on_outcome[treatment], "indirect": a * b}


def bootstrap_slopes(frame: pd.DataFrame, arguments: Arguments) -> Slopes:
    """The coefficient alone: signs are drawn."""
    regressor, controls = arguments["regressor"], list(arguments.get("controls", ()))
    effects = arguments.get("effects", ("city_code", "year"))
    found = dummy_slopes(frame, arguments["outcome"], [regressor, *controls], effects)
    return {regressor: found[regressor]}


def _asked(frame: pd.DataFrame, arguments: Arguments) -> np.ndarray:
    where = arguments.get("where")
    return np.ones(len(frame), dtype=bool) if where is None else np.asarray(where, dtype=bool)


def _wide(frame: pd.DataFrame, arguments: Arguments) -> tuple[pd.DataFrame, pd.Series]:
    """The outcome, a row a unit and a column a year, and the units' cohorts (NEVER for none)."""
    outcome, unit, time = (arguments[name] for name in ("outcome", "unit", "time"))
    rows = frame[_asked(frame, arguments)]
    wide = rows.pivot(index=unit, columns=time, values=outcome).astype(float).dropna()
    cohort = rows.groupby(unit)[arguments["cohort"]].first().astype(float)
    return wide, cohort.replace(0, NEVER).fillna(NEVER)[wide.index]
