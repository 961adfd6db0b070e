"""Staggered effects anew, from least squares of statsmodels alone: a regression a cell, dummies of
event times, or dummies on the rows that are not treated.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.report.recomputed.least_squares import Dummied, asked, cluster_of, dummied, dummies
from analysis.report.recomputed.theirs import Arguments, NoPeerError, Term, Theirs, only, plain

NEVER = np.inf
OVERALL = ("", "overall")
Averages = Mapping[Term, tuple[float, float]]  # value and error
KNOWN = ("outcome", "cohort", "controls", "covariance", "missing_cohort")


def callaway_santanna(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """A regression of long differences on belonging to the cohort for each cohort and year; their
    mean by the cohorts' sizes ("simple"). What a unit adds to a coefficient is its row of
    (X'X)^-1 X'e; what it adds to the weights, its cohort less the cohort's share.
    """
    from statsmodels.api import OLS, add_constant

    only(arguments, (*KNOWN, "control", "base"))
    follows = dict(arguments["then"][0][1]) if arguments.get("then") else {}
    if arguments.get("controls") or follows != {"kind": "simple"} or arguments.get("base"):
        raise NoPeerError("controls, or averages other than the simple one.")
    wide, cohort, clusters = _wide(frame, arguments)
    effects, shares, influence, member_of = [], [], [], []
    for first in sorted(set(cohort) - {NEVER}):
        for year in [one for one in wide.columns if one >= first and first - 1 in wide.columns]:
            later = cohort > year if arguments.get("control") == "notyettreated" else False
            here = (cohort == first) | (cohort == NEVER) | later
            member = (cohort[here] == first).astype(float).rename("member")
            x, change = add_constant(member), (wide[year] - wide[first - 1])[here]
            fitted = OLS(change, x).fit()
            scores = (
                x.to_numpy() * fitted.resid.to_numpy()[:, None]
            ) @ fitted.normalized_cov_params.to_numpy()
            own = pd.Series(scores[:, 1], member.index).reindex(wide.index, fill_value=0.0)
            effects.append(float(fitted.params["member"]))
            shares.append(float((cohort == first).mean()))
            influence.append(own.to_numpy())
            member_of.append((cohort == first).to_numpy(dtype=float))
    weights = np.array(shares) / sum(shares)
    value = float(weights @ effects)
    moved = (np.column_stack(member_of) - shares) @ (np.array(effects) - value) / sum(shares)
    each = np.column_stack(influence) @ weights + moved / len(wide)
    error = _clustered(each, clusters.to_numpy())
    return Theirs({OVERALL: value}, {OVERALL: error}, {"nobs": float(wide.size)})


def imputation(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """Dummies on rows not yet treated; the mean of what treated rows have beyond that.

    The error is that of Borusyak, Jaravel and Spiess (2024), proposition 6: rows' weights in the
    mean times their residuals, those of treated rows around their cohort's mean of the year.
    """
    from statsmodels.api import OLS

    only(arguments, (*KNOWN, "kind", "leads", "averaged_over"))
    outcome, unit, time = (arguments[name] for name in ("outcome", "unit", "time"))
    controls = list(arguments.get("controls", ()))
    frame = frame[asked(frame, arguments) & frame[[outcome, *controls]].notna().all(axis=1)]
    cohort, year = _cohorts(frame, arguments), frame[time].astype(float)
    treated = (year >= cohort).to_numpy()
    x = pd.concat([frame[controls].astype(float), dummies(frame, [unit, time])], axis=1)
    y = frame[outcome].astype(float)
    fitted = OLS(y[~treated], x[~treated]).fit()
    beyond = y - x @ fitted.params
    weights = np.where(treated, 1 / treated.sum(), 0.0)
    z = x[~treated].to_numpy()
    total = x[treated].to_numpy().T @ weights[treated]
    weights[~treated] = -z @ np.linalg.pinv(z.T @ z, hermitian=True) @ total
    over = {"cohort_period": [cohort, year], "event_time": [year - cohort], "cohort": [cohort]}
    groups = over[arguments.get("averaged_over", "cohort_period")]
    own = pd.Series(weights**2, frame.index)[treated]
    where = [group[treated] for group in groups]
    top = (own * beyond[treated]).groupby(where).transform("sum")
    left = beyond.copy()
    left[treated] = beyond[treated] - top / own.groupby(where).transform("sum")
    error = _clustered(weights * left.to_numpy(), frame[_cluster(arguments)].to_numpy())
    value = float(beyond[treated].mean())
    return Theirs({OVERALL: value}, {OVERALL: error}, {"nobs": float(len(frame))})


def event_study(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """A dummy an event time but the base, those beyond the ends with the ends."""
    only(arguments, (*KNOWN, "base", "first", "last"))
    if arguments.get("then"):
        raise NoPeerError("bounds on what an event study finds.")
    rows, event, cohort = _events(frame, arguments)
    treated = np.isfinite(cohort)
    low, high = event[treated].min(), event[treated].max()
    first, last = arguments.get("first"), arguments.get("last")
    held = event.clip(low if first is None else first, high if last is None else last)
    base = arguments.get("base", -1)
    levels = [level for level in np.unique(held[treated]) if level != base]
    names = {level: _event_name(level, first, last, low, high) for level in levels}
    x = pd.DataFrame({names[level]: (treated & (held == level)).astype(float) for level in levels})
    fit = _with_controls(rows, x, arguments)
    found = {("event time", name): fit.combined({name: 1.0}) for name in names.values()}
    return _named(found, fit, arguments)


def sun_abraham(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """A dummy a cohort and event time but -1; means by rows."""
    only(arguments, KNOWN)
    rows, event, cohort = _events(frame, arguments)
    begun = cohort <= rows[arguments["time"]].astype(float).min()
    rows, event, cohort = rows[~begun], event[~begun], cohort[~begun]
    if np.isfinite(cohort).all():
        raise NoPeerError("no unit is never treated.")
    cells = sorted({one for one in zip(event, cohort, strict=True) if np.isfinite(one[1])})
    cells = [cell for cell in cells if cell[0] != -1]
    x = pd.DataFrame({f"{e:g} {g:g}": ((event == e) & (cohort == g)).astype(float)
                      for e, g in cells})  # fmt: skip
    fit, counts = _with_controls(rows, x, arguments), x.sum()
    found = {}
    for level in [None, *sorted({e for e, _ in cells})]:
        chosen = [f"{e:g} {g:g}" for e, g in cells if (e >= 0 if level is None else e == level)]
        term = OVERALL if level is None else ("event time", f"{level:g}")
        found[term] = fit.combined(counts[chosen] / counts[chosen].sum())
    return _named(found, fit, arguments)


def _named(found: Averages, fit: Dummied, arguments: Arguments) -> Theirs:
    controls = list(arguments.get("controls", ()))
    own = fit.theirs()
    return Theirs(
        {term: value for term, (value, _) in found.items()} | plain(fit.fitted.params, controls),
        {term: error for term, (_, error) in found.items()}
        | {term: error for term, error in own.errors.items() if term[1] in controls},
        fit.fit,
        fit.converted,
    )


def _with_controls(rows: pd.DataFrame, x: pd.DataFrame, arguments: Arguments) -> Dummied:
    controls = list(arguments.get("controls", ()))
    both = pd.concat([x, rows[controls].astype(float)], axis=1)
    covariance = {"cluster": [_cluster(arguments)]}
    keys = [arguments["unit"], arguments["time"]]
    return dummied(rows, arguments["outcome"], both, keys, covariance)


def _events(frame: pd.DataFrame, arguments: Arguments) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Complete rows, years since treatment, and the cohort: NEVER too where it is after the end."""
    columns = [arguments["outcome"], *arguments.get("controls", ())]
    rows = frame[asked(frame, arguments) & frame[columns].notna().all(axis=1)]
    year: pd.Series = rows[str(arguments["time"])].astype(float)
    cohort = _cohorts(rows, arguments)
    cohort[cohort > year.max()] = NEVER
    return rows, year - cohort, cohort


def _event_name(
    level: float, first: float | None, last: float | None, low: float, high: float
) -> str:
    if level == first and low < level:
        return f"<={level:g}"
    return f">={level:g}" if level == last and high > level else f"{level:g}"


def _cohorts(frame: pd.DataFrame, arguments: Arguments) -> pd.Series:
    if arguments.get("missing_cohort") != "never" and frame[arguments["cohort"]].isna().any():
        raise NoPeerError("rows without a cohort that are left out.")
    found: pd.Series = frame[str(arguments["cohort"])].astype(float)
    found[(found == 0) | found.isna()] = NEVER
    return found


def _cluster(arguments: Arguments) -> str:
    given = arguments.get("covariance")
    return str(arguments["unit"]) if given is None else cluster_of(given)


def _clustered(each: np.ndarray, clusters: np.ndarray) -> float:
    """Root of the sum of squares of sums by cluster."""
    return float(np.sqrt((pd.Series(each).groupby(clusters).sum() ** 2).sum()))


def _wide(frame: pd.DataFrame, arguments: Arguments) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """The outcome, a row a unit and a column a year; the units' cohorts (NEVER for none) and
    clusters.
    """
    outcome, unit, time = (arguments[name] for name in ("outcome", "unit", "time"))
    rows = frame[asked(frame, arguments)]
    wide = rows.pivot(index=unit, columns=time, values=outcome).astype(float).dropna()
    by_unit = rows.assign(cohort=_cohorts(rows, arguments), cluster=rows[_cluster(arguments)])
    first = by_unit.groupby(unit)[["cohort", "cluster"]].first().loc[wide.index]
    return wide, first["cohort"], first["cluster"]
