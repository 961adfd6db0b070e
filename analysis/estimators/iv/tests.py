"""Tests of an instrumented equation: overidentification, exogeneity of named columns, and the
model's F.

The covariance of the moments is always that of the larger set of orthogonality conditions, so that
no difference is negative (Hayashi 2000, p. 218-222; Baum, Schaffer and Stillman 2003).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.result import Test
from analysis.estimators.core.tall import cross, times
from analysis.estimators.iv.equation import Model, basis, residual_maker, widened
from analysis.estimators.iv.fit import Fit, is_singular, smallest_distance, two_stage

VALID = "all instruments are exogenous"


def overidentification(model: Model, fit: Fit) -> dict[str, Test]:
    """Sargan and Basmann with iid errors, Hansen's J with others; with LIML also the two tests on
    its root. Empty if just identified.

    Sargan: N e'P_Z e / e'e. Basmann: Sargan (N - L) / (N - Sargan). Hansen's J: the minimum of N
    g'S^-1 g with S from the residuals of the estimate (of the first step, for GMM). Likelihood
    ratio: N ln(root); its linear form: N (root - 1) (Anderson and Rubin 1950).
    """
    df = model.l1 - model.x1.shape[1]
    if df == 0:
        return {}
    tests = {}
    if model.errors.kind == "iid":
        explained = float(((model.q.T @ fit.residual) ** 2).sum())
        sargan = model.n * explained / float(fit.residual @ fit.residual)
        basmann = sargan * model.df_instruments / (model.n - sargan)
        tests = {
            "sargan": _chi2("Sargan", sargan, df, VALID),
            "basmann": _chi2("Basmann", basmann, df, VALID),
        }
    else:
        residual = (
            fit.residual if fit.kappa is not None else model.y - model.x @ two_stage(model, model.q)
        )
        tests = {
            "hansen_j": _chi2("Hansen J", smallest_distance(model, model.q, residual), df, VALID)
        }
    if fit.smallest_root is not None:
        root = fit.smallest_root
        tests["anderson_rubin_lr"] = _chi2(
            "Anderson-Rubin overidentification LR", model.n * float(np.log(root)), df, VALID
        )
        tests["anderson_rubin_lr_linear"] = _chi2(
            "Anderson-Rubin overidentification LR, linearised", model.n * (root - 1), df, VALID
        )
    return tests


def exogeneity_of_instruments(model: Model, names: Sequence[str]) -> Test:
    """C statistic (difference in Sargan or Hansen) of the null that the named instruments or
    exogenous regressors are exogenous.

    The J of the equation as it stands less the J of the equation without the named orthogonality
    conditions: a named instrument is left out, a named exogenous regressor becomes endogenous.
    """
    all_names = model.names_x2 + model.names_z1
    unknown = [name for name in names if name not in all_names or name == CONSTANT]
    if unknown or len(set(names)) < len(names):
        raise ValueError(
            "tested for exogeneity can be the instruments and exogenous regressors, each once; not"
            f" {', '.join(unknown or names)}."
        )
    kept = [i for i, name in enumerate(all_names) if name not in names]
    if len(kept) < model.k:
        raise ValueError(
            f"without {', '.join(names)} the equation has fewer instruments than regressors. Test"
            " fewer of them."
        )
    statistic = _difference(model, model.q, basis(model.z[:, kept]))
    return _chi2(f"C of {', '.join(names)}", statistic, len(names), f"{', '.join(names)} exogenous")


def endogeneity(model: Model, names: Sequence[str]) -> dict[str, Test]:
    """Are the named regressors exogenous after all? Difference in J (Durbin-Wu-Hausman) and the
    regression form (Wu-Hausman F)."""
    unknown = [name for name in names if name not in model.names_x1]
    if unknown or len(set(names)) < len(names):
        raise ValueError(
            "tested for endogeneity can be the endogenous regressors, each once; not"
            f" {', '.join(unknown or names)}."
        )
    tested = model.x1[:, [model.names_x1.index(name) for name in names]]
    null = f"{', '.join(names)} exogenous"
    is_all = tuple(names) == model.names_x1
    larger = model.q_all if is_all else widened(model.q, tested)
    statistic = _difference(model, larger, model.q)
    return {
        "endogeneity": _chi2("Endogeneity (difference in J)", statistic, len(names), null),
        "wu_hausman_f": _wu_hausman(model, tested, larger, null),
    }


def _difference(model: Model, larger: np.ndarray, smaller: np.ndarray) -> float:
    """J with the larger set of instruments less J with the smaller, each given by its basis, both
    weighted by the residuals of 2SLS with the larger."""
    residual = model.y - model.x @ two_stage(model, larger)
    return smallest_distance(model, larger, residual) - smallest_distance(model, smaller, residual)


def _wu_hausman(model: Model, tested: np.ndarray, larger: np.ndarray, null: str) -> Test:
    """F of the first-stage residuals (n, t) of the tested regressors, when they are added to the
    equation; larger is a basis of the instruments, then of the tested regressors.

    With regressors that stay endogenous, these are replaced by what the instruments and the tested
    regressors predict of them. So all columns are in the span of `larger`, and their coordinates
    (l + t, k + t) in it stand for them.
    """
    t = tested.shape[1]
    added = cross(larger, residual_maker(tested, model.q))
    columns = np.hstack([model.x_on(larger), added])
    outcome = larger.T @ model.y
    slope = np.linalg.lstsq(columns, outcome, rcond=np.finfo(float).eps * len(model.y))[0]
    residual = model.y - model.x @ slope[: model.k] - times(larger, added) @ slope[model.k :]
    apart = residual_maker(added, basis(columns[:, : model.k]))
    partial, inner, gap = times(larger, apart), apart.T @ apart, slope[model.k :]
    meat = model.errors.moment_covariance(partial, residual, model.n)
    moved = inner @ gap
    df = model.df_regressors - t
    f = (
        float("nan")
        if is_singular(meat)
        else model.f_from_chi2(float(moved @ np.linalg.solve(meat, moved)), t, df)
    )
    df2 = model.f_df2(df)
    return Test("Wu-Hausman F", f, t, float(stats.f.sf(f, t, df2)), df2, null)


def model_f(model: Model, fit: Fit) -> dict[str, Test]:
    """F of the null that all coefficients but the constant's are zero; empty when there are
    none."""
    slopes = [i for i, name in enumerate(model.terms) if name != CONSTANT]
    covariance = fit.covariance[np.ix_(slopes, slopes)]
    beta = fit.beta[slopes]
    chi2 = (
        float("nan") if is_singular(covariance) else float(beta @ np.linalg.solve(covariance, beta))
    )
    f = model.f_from_chi2(chi2, len(slopes), model.df_regressors)
    df2 = model.f_df2(model.df_regressors)
    return {
        "model_f": Test(
            "Model F",
            f,
            len(slopes),
            float(stats.f.sf(f, len(slopes), df2)),
            df2,
            "all slopes are zero",
        )
    }


def _chi2(name: str, statistic: float, df: int, null: str) -> Test:
    return Test(name, statistic, df, float(stats.chi2.sf(statistic, df)), null=null)
