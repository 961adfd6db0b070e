"""Least squares of statsmodels, with a dummy for every level of an effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.report.recomputed.theirs import Arguments, NoPeerError, Theirs, only, plain

BOTH = ("city_code", "year")


def errors_of(frame: pd.DataFrame, covariance: Any, *, correct: bool = True) -> dict[str, Any]:
    """Our `covariance` as the arguments of statsmodels' fit.

    correct : with the factor G/(G-1) (N-1)/(N-K) of clusters

    Raises
    ------
    NoPeerError : two ways, in time, on the map.
    """
    if covariance in (None, "iid"):
        return {"cov_type": "nonrobust"}
    if covariance == "robust":
        return {"cov_type": "HC1"}
    name = cluster_of(covariance)
    codes = pd.factorize(joined(frame, name))[0]
    return {"cov_type": "cluster", "cov_kwds": {"groups": codes, "use_correction": correct}}


def cluster_of(covariance: Any) -> str:
    """The one column of clusters.

    Raises
    ------
    NoPeerError : none or several.
    """
    columns = covariance.get("cluster", ()) if isinstance(covariance, Mapping) else ()
    columns = [columns] if isinstance(columns, str) else list(columns)
    if len(columns) != 1:
        raise NoPeerError(f"covariance {covariance!r}: not in statsmodels.")
    return str(columns[0])


def joined(frame: pd.DataFrame, name: str) -> pd.Series:
    """Labels of a column, or of several joined by '#'."""
    first, *others = name.split("#")
    return sum((("#" + frame[one].astype(str)) for one in others), frame[first].astype(str))


def dummies(frame: pd.DataFrame, effects: Sequence[str]) -> pd.DataFrame:
    """A dummy a level, without the first level of every effect but the first."""
    parts = [
        pd.get_dummies(joined(frame, name), prefix=name, dtype=float, drop_first=at > 0)
        for at, name in enumerate(effects)
    ]
    return pd.concat(parts, axis=1)


@dataclass(frozen=True)
class Dummied:
    """A fit with dummies, and what makes its clustered errors ours: statsmodels counts every dummy,
    Stata's areg and reghdfe those whose effect is not nested in a cluster (the constant always).
    """

    fitted: Any
    names: tuple[str, ...]
    within: float
    scale: float

    def combined(self, weights: Mapping[str, float] | pd.Series) -> tuple[float, float]:
        """A weighted sum of coefficients, and its standard error."""
        row = pd.Series(weights).reindex(self.fitted.params.index).fillna(0.0).to_numpy()
        spread = row @ self.fitted.cov_params().to_numpy() @ row
        return float(row @ self.fitted.params), self.scale * float(np.sqrt(spread))

    @property
    def fit(self) -> dict[str, float]:
        return {
            "nobs": float(self.fitted.nobs),
            "r2": float(self.fitted.rsquared),
            "r2_adjusted": float(self.fitted.rsquared_adj),
            "r2_within": self.within,
        }

    @property
    def converted(self) -> str:
        if self.scale == 1.0:
            return ""
        return (
            f"statsmodels counts the dummies of effects that are nested in a cluster: its errors"
            f" times {self.scale:.6f}, as areg and reghdfe count"
        )

    def theirs(self, more: Mapping[str, tuple[float, float]] | None = None) -> Theirs:
        """The regressors, and named sums of coefficients (value, error) beside them."""
        own = dict(more or {})
        b = plain(self.fitted.params, self.names)
        e = plain(self.fitted.bse * self.scale, self.names)
        b |= {("", name): value for name, (value, _) in own.items()}
        e |= {("", name): error for name, (_, error) in own.items()}
        return Theirs(b, e, self.fit, self.converted)


def dummied(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str] | pd.DataFrame,
    effects: Sequence[str],
    covariance: Any,
    *,
    correct: bool = True,
) -> Dummied:
    """The outcome on regressors (names, or columns of the frame's length) and all dummies."""
    from statsmodels.api import OLS

    columns = regressors if isinstance(regressors, pd.DataFrame) else frame[list(regressors)]
    levels = dummies(frame, effects)
    x = pd.concat([columns.astype(float), levels], axis=1)
    y = frame[outcome].astype(float)
    fitted = OLS(y, x).fit(**errors_of(frame, covariance, correct=correct))
    within = 1 - fitted.ssr / OLS(y, levels).fit().ssr
    scale = 1.0
    if correct and isinstance(covariance, Mapping):
        ours = columns.shape[1] + counted(frame, effects, cluster_of(covariance))
        scale = float(np.sqrt((len(x) - x.shape[1]) / (len(x) - ours)))
    return Dummied(fitted, tuple(columns.columns), within, scale)


def counted(frame: pd.DataFrame, effects: Sequence[str], cluster: str) -> int:
    """Independent dummies, the constant among them, of effects that are not nested in a cluster."""
    groups = joined(frame, cluster)
    free = [name for name in effects if groups.groupby(joined(frame, name)).nunique().max() > 1]
    return int(np.linalg.matrix_rank(dummies(frame, free))) if free else 1


def linear(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """Least squares with a constant."""
    from statsmodels.api import OLS, add_constant

    only(arguments, ("outcome", "regressors", "covariance"))
    x = add_constant(frame[list(arguments["regressors"])].astype(float), has_constant="add")
    x = x.rename(columns={"const": "constant"})
    model = OLS(frame[arguments["outcome"]].astype(float), x)
    fitted = model.fit(**errors_of(frame, arguments.get("covariance")))
    names = list(x.columns)
    fit = {"nobs": fitted.nobs, "r2": fitted.rsquared, "r2_adjusted": fitted.rsquared_adj}
    return Theirs(plain(fitted.params, names), plain(fitted.bse, names), fit)


def effects(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """Fixed effects by dummies; the constant is the mean of the fitted effects."""
    only(arguments, ("outcome", "regressors", "covariance", "effects", "constant"))
    named = list(arguments.get("effects", BOTH))
    covariance = arguments.get("covariance")
    found = dummied(frame, arguments["outcome"], arguments["regressors"], named, covariance)
    counted = named[:1] if arguments.get("constant") == "first_period" else named
    return found.theirs({"constant": found.combined(dummies(frame, counted).mean())})


def wild(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """The bootstrap's coefficient and its error without a small-sample factor: signs are drawn."""
    only(arguments, ("outcome", "regressor", "controls", "effects", "covariance", "draws", "seed"))
    names = [arguments["regressor"], *arguments.get("controls", ())]
    named, errors = arguments.get("effects", BOTH), arguments["covariance"]
    found = dummied(frame, arguments["outcome"], names, named, errors, correct=False)
    b, error = found.combined({names[0]: 1.0})
    return Theirs({("", names[0]): b}, {("", names[0]): error}, {"nobs": found.fit["nobs"]})


def mediation(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """Both regressions with dummies; the error of the product is Sobel's."""
    only(arguments, ("outcome", "treatment", "mediator", "controls", "estimator", "options"))
    if arguments.get("estimator") != "fixed_effects":
        raise NoPeerError("mediation by something other than fixed effects.")
    options = arguments.get("options", {})
    only(options, ("effects", "covariance"))
    named, errors = list(options.get("effects", BOTH)), options.get("covariance")
    treatment, mediator = arguments["treatment"], arguments["mediator"]
    controls, outcome = list(arguments.get("controls", ())), arguments["outcome"]
    columns = [outcome, treatment, mediator, *controls, *named]
    rows = frame[asked(frame, arguments) & frame[columns].notna().all(axis=1)]
    parts = {
        "total": dummied(rows, outcome, [treatment, *controls], named, errors),
        "a": dummied(rows, mediator, [treatment, *controls], named, errors),
        "direct": dummied(rows, outcome, [treatment, mediator, *controls], named, errors),
    }
    found = {name: part.combined({treatment: 1.0}) for name, part in parts.items()}
    found["b"] = parts["direct"].combined({mediator: 1.0})
    (a, error_a), (b, error_b) = found["a"], found["b"]
    found["indirect"] = a * b, float(np.hypot(b * error_a, a * error_b))
    return Theirs(
        {("", name): value for name, (value, _) in found.items()},
        {("", name): error for name, (_, error) in found.items()},
        {"nobs": parts["total"].fit["nobs"]},
        parts["direct"].converted,
    )


def asked(frame: pd.DataFrame, arguments: Arguments) -> np.ndarray:
    """Rows that the column's `where` asks for."""
    where = arguments.get("where")
    return np.ones(len(frame), dtype=bool) if where is None else np.asarray(where, dtype=bool)
