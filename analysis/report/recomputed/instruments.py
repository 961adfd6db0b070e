"""Instruments, panels and spatial systems of linearmodels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.report.recomputed.least_squares import BOTH, cluster_of, counted, dummies, joined
from analysis.report.recomputed.theirs import Arguments, NoPeerError, Theirs, only, plain


def two_stage(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """IV2SLS on columns whose effects statsmodels has taken out, and IV2SLS's own first stages."""
    from linearmodels.iv import IV2SLS

    only(arguments, ("outcome", "endogenous", "instruments", "controls", "effects", "covariance"))
    endogenous, instruments = list(arguments["endogenous"]), list(arguments["instruments"])
    controls, outcome = list(arguments.get("controls", ())), arguments["outcome"]
    effects = list(arguments.get("effects", ()))
    names = [outcome, *endogenous, *instruments, *controls]
    data = _without(frame, names, effects)
    own = data[controls] if effects else data[controls].assign(constant=1.0)
    exogenous = own if own.shape[1] else None
    how = _errors(frame, arguments.get("covariance"), debiased=bool(effects))
    fitted = IV2SLS(data[outcome], exogenous, data[endogenous], data[instruments]).fit(**how)
    terms = list(fitted.params.index)
    scale = _scale(frame, len(terms), effects, arguments.get("covariance"))
    b, e = plain(fitted.params, terms, outcome), plain(fitted.std_errors * scale, terms, outcome)
    for name in endogenous:
        equation = f"first stage of {name}"
        both = pd.concat([data[instruments], own], axis=1)
        first = IV2SLS(data[name], both, None, None).fit(**how)
        listed = list(first.params.index)
        paid = _scale(frame, len(listed), effects, arguments.get("covariance"))
        b |= plain(first.params, listed, equation)
        e |= plain(first.std_errors * paid, listed, equation)
    said = f"linearmodels counts no effects: its errors times {scale:.6f}" if scale != 1 else ""
    return Theirs(b, e, {"nobs": float(fitted.nobs), "r2": float(fitted.rsquared)}, said)


def _without(frame: pd.DataFrame, names: list[str], effects: list[str]) -> pd.DataFrame:
    from statsmodels.api import OLS

    if not effects:
        return frame[names].astype(float)
    levels = dummies(frame, effects)
    return pd.DataFrame({n: OLS(frame[n].astype(float), levels).fit().resid for n in names})


def _errors(frame: pd.DataFrame, covariance: Any, *, debiased: bool) -> dict[str, Any]:
    """Our `covariance` as the arguments of linearmodels' fit."""
    if covariance in (None, "iid"):
        return {"cov_type": "unadjusted", "debiased": debiased}
    if covariance == "robust":
        return {"cov_type": "robust", "debiased": debiased}
    codes = pd.Series(pd.factorize(joined(frame, cluster_of(covariance)))[0], frame.index)
    return {"cov_type": "clustered", "clusters": codes, "debiased": debiased}


def _scale(frame: pd.DataFrame, k: int, effects: list[str], covariance: Any) -> float:
    """What its errors are multiplied with for the effects that were paid for."""
    if not effects:
        return 1.0
    if isinstance(covariance, Mapping):
        paid = counted(frame, effects, cluster_of(covariance))
    else:
        paid = int(np.linalg.matrix_rank(dummies(frame, effects)))
    return float(np.sqrt((len(frame) - k) / (len(frame) - k - paid)))


def within(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """PanelOLS with effects of units."""
    from linearmodels.panel import PanelOLS

    only(arguments, ("outcome", "regressors", "model", "covariance"))
    if arguments.get("model") != "within" or arguments.get("covariance", "iid") != "iid":
        raise NoPeerError("panels other than within, errors other than equal ones.")
    unit, time = arguments.get("unit", BOTH[0]), arguments.get("time", BOTH[1])
    indexed = frame.set_index([unit, time])
    names = list(arguments["regressors"])
    y, x = indexed[arguments["outcome"]].astype(float), indexed[names].astype(float)
    fitted = PanelOLS(y, x, entity_effects=True).fit()
    fit = {"nobs": float(fitted.nobs), "r2_within": float(fitted.rsquared_within)}
    return Theirs(plain(fitted.params, names), plain(fitted.std_errors, names), fit)


def spatial(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """IV3SLS of every equation, with W y, W X and W W X made by a matrix."""
    from linearmodels.system import IV3SLS

    only(arguments, ("equations", "weights"))
    parts, weights = arguments["equations"], arguments["weights"]
    place = [list(weights.units).index(unit) for unit in frame[BOTH[0]]]
    w = np.asarray(weights.raw.todense())[np.ix_(place, place)]
    sums = w.sum(axis=1, keepdims=True)
    w = np.divide(w, sums, out=np.zeros_like(w), where=sums > 0)
    used = {n for part in parts.values() for n in (part["outcome"], *part["regressors"])}
    data = frame.reset_index(drop=True).astype(dict.fromkeys(used, float))
    exogenous = list(dict.fromkeys(n for part in parts.values() for n in part["regressors"]))
    lags = {f"w_{n}": w @ data[n].to_numpy() for n in exogenous}
    twice = {f"w2_{n}": w @ lags[f"w_{n}"] for n in exogenous}
    z = pd.DataFrame({n: data[n] for n in exogenous} | lags | twice)
    system = {}
    for name, part in parts.items():
        others = [p["outcome"] for p in parts.values() if p is not part]
        named = [f"w_{n}" for n in part.get("lagged", [part["outcome"], *others])]
        lagged = {n: w @ data[n.removeprefix("w_")].to_numpy() for n in named}
        endogenous = pd.DataFrame(lagged | {n: data[n] for n in part.get("endogenous", others)})
        x = data[list(part["regressors"])].assign(constant=1.0)
        excluded = z.drop(columns=list(part["regressors"]))
        system[name] = {"dependent": data[part["outcome"]], "exog": x, "endog": endogenous,
                        "instruments": excluded}  # fmt: skip
    fitted = IV3SLS(system).fit(cov_type="unadjusted", method="gls")
    terms = {str(label): _named(str(label), list(parts)) for label in fitted.params.index}
    fit = {f"r2_{name}": float(fitted.equations[name].rsquared) for name in parts}
    return Theirs(
        {term: float(fitted.params[label]) for label, term in terms.items()},
        {term: float(fitted.std_errors[label]) for label, term in terms.items()},
        fit | {"nobs": float(len(data))},
    )


def _named(label: str, equations: list[str]) -> tuple[str, str]:
    """Equation and term of linearmodels' <equation>_<term>."""
    equation = max((name for name in equations if label.startswith(f"{name}_")), key=len)
    return equation, label.removeprefix(f"{equation}_")
