"""Selection and matching anew, from statsmodels' probit and logit and scipy's trees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial import cKDTree

from analysis.report.recomputed.least_squares import asked, dummied
from analysis.report.recomputed.theirs import Arguments, NoPeerError, Theirs, only, plain

MILLS = "inverse_mills_ratio"
EXACT = {"disp": 0, "method": "newton", "tol": 1e-12, "maxiter": 200}


def heckman(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """Probit of being selected, then least squares with the inverse of Mills' ratio.

    The errors are Heckman's (1979), equation 20 ff.: of e = y - Xb, whose variance is not constant,
    and of the probit that X contains.
    """
    from statsmodels.api import OLS, Probit, add_constant

    only(arguments, ("outcome", "regressors", "selected", "selection_regressors", "covariance"))
    if arguments.get("covariance", "iid") != "iid":
        raise NoPeerError("the sandwich of both steps.")
    chosen = frame[arguments["selected"]].astype(float)
    apart = add_constant(frame[list(arguments["selection_regressors"])].astype(float))
    size = apart.abs().max()
    probit = Probit(chosen, apart / size).fit(**EXACT)
    index = (apart / size) @ probit.params
    mills = np.exp(stats.norm.logpdf(index) - stats.norm.logcdf(index))
    here = chosen == 1
    x = add_constant(frame[list(arguments["regressors"])].astype(float)).assign(**{MILLS: mills})
    fitted = OLS(frame[arguments["outcome"]].astype(float)[here], x[here]).fit()
    spread = _second_step(fitted, (mills * (mills + index))[here], (apart / size)[here], probit)
    b = fitted.params.rename({"const": "constant"})
    errors = pd.Series(np.sqrt(np.diag(spread)), b.index)
    equation, names = arguments["outcome"], list(b.index)
    first, first_errors = probit.params / size, probit.bse / size
    first, first_errors = (s.rename({"const": "constant"}) for s in (first, first_errors))
    return Theirs(
        plain(b, names, equation) | plain(first, list(first.index), "selection"),
        plain(errors, names, equation) | plain(first_errors, list(first.index), "selection"),
        {
            "nobs": float(len(frame)),
            "selected": float((chosen == 1).to_numpy().sum()),
            "log_likelihood": float(probit.llf),
        },
    )


def _second_step(fitted: Any, delta: pd.Series, z: pd.DataFrame, probit: Any) -> np.ndarray:
    """The covariance of the second step; delta = mills (mills + index) and z of its rows."""
    x, b = fitted.model.exog, fitted.params[MILLS]
    sigma2 = float((fitted.resid**2).mean() + b**2 * delta.mean())
    each = sigma2 - b**2 * delta.to_numpy()
    link = b * (x * delta.to_numpy()[:, None]).T @ z.to_numpy()
    middle = (x * each[:, None]).T @ x + link @ probit.cov_params().to_numpy() @ link.T
    bread = fitted.normalized_cov_params.to_numpy()
    return np.asarray(bread @ middle @ bread)


def psm_did(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """The pooled logit, the nearest controls by a tree, and dummies on the rows matched."""
    from statsmodels.api import Logit, add_constant

    known = ("outcome", "treatment", "covariates", "options", "covariance", "unit", "time")
    only(arguments, known)
    options = dict(arguments.get("options", {}))
    only(options, ("method", "neighbours"))
    if options.get("method", "neighbours") != "neighbours":
        raise NoPeerError("matching by something other than neighbours.")
    treatment, covariates = arguments["treatment"], list(arguments["covariates"])
    ever = frame.groupby(arguments["unit"])[treatment].transform("max").astype(float)
    columns = [arguments["outcome"], treatment, *covariates]
    complete = asked(frame, arguments) & frame[columns].notna().all(axis=1)
    rows, member = frame[complete], ever[complete]
    x = add_constant(rows[covariates].astype(float))
    size = x.abs().max()
    logit = Logit(member, x / size).fit(**EXACT)
    score = stats.logistic.cdf(((x / size) @ logit.params).to_numpy())
    treated, controls = np.flatnonzero(member == 1), np.flatnonzero(member == 0)
    count = int(options.get("neighbours", 1))
    _, near = cKDTree(score[controls, None]).query(score[treated, None], k=count)
    used = rows.iloc[np.union1d(treated, controls[np.unique(near)])]
    effects = (arguments["unit"], arguments["time"])
    covariance = arguments.get("covariance", {"cluster": [arguments["unit"]]})
    names = [treatment, *covariates]
    return dummied(used, arguments["outcome"], names, effects, covariance).theirs()
