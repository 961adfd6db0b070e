"""Do the instruments move the endogenous regressors? Rank tests, first-stage statistics and
tabulated critical values.

Anderson (1951) and Cragg and Donald (1993) for iid errors, Kleibergen and Paap (2006) for others;
conditional first-stage F of Angrist and Pischke (2009, p. 217) and of Sanderson and Windmeijer
(2016). Small-sample factors are those of Stata's ivreg2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import linalg, stats

from analysis.estimators.core.result import Test
from analysis.estimators.core.tall import cross
from analysis.estimators.iv.equation import Model, basis, residual_maker
from analysis.estimators.iv.fit import is_singular, symmetric_inverse

NOT_IDENTIFIED = "the instruments do not identify the equation"
STOCK_YOGO = Path(__file__).with_name("stock_yogo.csv")


def rank_tests(model: Model) -> dict[str, Test]:
    """Tests of the null that the coefficients of the instruments in the first stages have rank
    k1 - 1 (underidentification).

    The LM and Wald forms have l1 - k1 + 1 degrees of freedom. The F forms, whose p-value would be
    of no use, are for comparison with `stock_yogo`: Cragg and Donald's with iid errors, for which
    the tables were made, Kleibergen and Paap's with others.
    """
    k1, df = model.x1.shape[1], model.l1 - model.x1.shape[1] + 1
    explained, left, instruments = _canonical(model)
    share = float(np.linalg.svd(explained, compute_uv=False)[k1 - 1] ** 2)
    cragg_donald = model.n * share / (1 - share)
    tests = {
        "cragg_donald_f": Test(
            "Cragg-Donald Wald F",
            cragg_donald / model.n * model.df_instruments / model.l1,
            None,
            np.nan,
            null=NOT_IDENTIFIED,
        )
    }
    if model.errors.kind == "iid":
        lm, wald, names = model.n * share, cragg_donald, ("anderson_lm", "cragg_donald_wald")
        titles = ("Anderson canonical correlation LM", "Cragg-Donald Wald")
    else:
        before = left + instruments @ explained
        lm = _rank_statistic(model, explained, instruments, before)
        wald = _rank_statistic(model, explained, instruments, left)
        names, titles = (
            ("kleibergen_paap_lm", "kleibergen_paap_wald"),
            ("Kleibergen-Paap rk LM", "Kleibergen-Paap rk Wald"),
        )
        f = model.f_from_chi2(wald, model.l1, model.df_instruments)
        tests["kleibergen_paap_f"] = Test(
            "Kleibergen-Paap rk Wald F", f, None, np.nan, null=NOT_IDENTIFIED
        )
    for name, title, value in zip(names, titles, (lm, wald), strict=True):
        tests[name] = Test(title, value, df, float(stats.chi2.sf(value, df)), null=NOT_IDENTIFIED)
    return tests


def _canonical(model: Model) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First stages in canonical form: coefficients (l1, k1) of the orthonormal instruments on the
    orthonormal endogenous columns, the residuals (n, k1) and the instruments (n, l1), all without
    the exogenous regressors.
    """
    instruments = model.q_excluded
    endogenous = basis(residual_maker(model.x1, model.q_exogenous))
    explained = instruments.T @ endogenous
    return explained, endogenous - instruments @ explained, instruments


def _rank_statistic(
    model: Model, explained: np.ndarray, instruments: np.ndarray, residual: np.ndarray
) -> float:
    """Kleibergen and Paap's rk statistic of the null that explained (l1, k1) has rank k1 - 1.

    residual (n, k1) is the endogenous columns themselves for the LM form and the first-stage
    residuals for the Wald form.
    """
    k1 = explained.shape[1]
    u, _, vt = np.linalg.svd(explained, full_matrices=True)
    rows, column = u[:, k1 - 1 :], vt[k1 - 1]
    # What is zero under the null, and the covariance of the sums that it is made of: only the last
    # singular direction is needed.
    zero = rows.T @ explained @ column
    scores = (instruments @ rows) * (residual @ column)[:, None]
    covariance = model.errors.covariance_of_sums(scores)
    if is_singular(covariance):
        return float("nan")
    return float(zero @ np.linalg.solve(covariance, zero))


@dataclass(frozen=True, eq=False)
class FirstStage:
    """The regression of one endogenous regressor on all instruments, with the errors of the
    equation.

    Attributes
    ----------
    coefficients : (l,) by instrument, the excluded ones first
    covariance : (l, l)
    df_t : degrees of freedom of t; None where inference is normal
    """

    coefficients: pd.Series
    covariance: pd.DataFrame
    df_t: float | None


def first_equations(model: Model, *, small: bool) -> dict[str, FirstStage]:
    """The first stage of each endogenous regressor; small: with small-sample factors and t, N - L
    degrees of freedom."""
    q, triangle = model.decomposition
    k2 = model.x2.shape[1]
    excluded_first = np.r_[k2 : k2 + model.l1, :k2]
    back = linalg.solve_triangular(triangle, np.eye(len(triangle)))[excluded_first]
    factor = model.small_factor(model.df_instruments) if small else 1.0
    terms = pd.Index([*model.names_z1, *model.names_x2])
    found = {}
    for name, column in zip(model.names_x1, model.x1.T, strict=True):
        b = back @ (q.T @ column)
        left = residual_maker(column[:, None], q)[:, 0]
        middle = model.errors.moment_covariance(q, left, model.n)
        covariance = factor * back @ middle @ back.T
        found[name] = FirstStage(
            pd.Series(b, index=terms, name="coefficient"),
            pd.DataFrame((covariance + covariance.T) / 2, index=terms, columns=terms),
            model.f_df2(model.df_instruments) if small else None,
        )
    return found


def first_stages(model: Model) -> pd.DataFrame:
    """First-stage statistics, one column an endogenous regressor, under the row names that the docs
    explain.

    F statistics always carry the small-sample factor: N - L for iid and robust errors, (G-1)/G
    (N-L)/(N-1) with clusters.
    """
    q, instruments, x, projected = model.q, model.q_excluded, model.x, model.x_on(model.q)
    shea = np.diag(symmetric_inverse(cross(x, x))) / np.diag(
        symmetric_inverse(projected.T @ projected)
    )
    columns = {}
    for j, name in enumerate(model.names_x1):
        plain = _exclusion(model, q, instruments, model.x1[:, j], model.l1)
        df = model.l1 - len(model.names_x1) + 1
        conditional = {"sw": plain, "ap": plain}
        if len(model.names_x1) > 1:
            fitted = np.column_stack([q @ projected[:, : model.x1.shape[1]], model.x2])
            others = np.delete(np.arange(model.k), j)
            slope = np.linalg.lstsq(fitted[:, others], model.x1[:, j], rcond=None)[0]
            conditional = {
                "sw": _exclusion(model, q, instruments, model.x1[:, j] - x[:, others] @ slope, df),
                "ap": _exclusion(
                    model, q, instruments, model.x1[:, j] - fitted[:, others] @ slope, df
                ),
            }
        rows = {
            "rmse": float(np.sqrt(plain["rss"] / model.df_instruments)),
            "shea_partial_r2": float(shea[j]),
            "partial_r2": plain["r2"],
        }
        rows |= {f"f{key}": plain[f"f{key}"] for key in ("", "_df1", "_df2", "_p")}
        for kind, values in conditional.items():
            rows |= {
                f"{kind}_{key}": values[key]
                for key in ("f", "f_df1", "f_df2", "f_p", "chi2", "chi2_p")
            } | {f"{kind}_partial_r2": values["r2"]}
        columns[name] = rows
    return pd.DataFrame(columns).rename_axis("statistic")


def _exclusion(
    model: Model, q: np.ndarray, instruments: np.ndarray, column: np.ndarray, df: int
) -> dict[str, float]:
    """Wald test that the excluded instruments have no coefficient in the regression of a column
    (n,) on all instruments."""
    slope = instruments.T @ column
    residual = residual_maker(column[:, None], q)[:, 0]
    rss = float(residual @ residual)
    classical = model.n * float(slope @ slope) / rss
    chi2 = classical
    if model.errors.kind != "iid":
        covariance = model.errors.moment_covariance(instruments, residual, model.n)
        chi2 = (
            float("nan")
            if is_singular(covariance)
            else float(slope @ np.linalg.solve(covariance, slope))
        )
    f = model.f_from_chi2(chi2, df, model.df_instruments)
    df2 = model.f_df2(model.df_instruments)
    share = classical / model.n
    return {
        "rss": rss,
        "f": f,
        "f_df1": df,
        "f_df2": df2,
        "f_p": float(stats.f.sf(f, df, df2)),
        "chi2": chi2,
        "chi2_p": float(stats.chi2.sf(chi2, df)),
        "r2": share / (1 + share),
    }


@cache
def _table() -> pd.DataFrame:
    return pd.read_csv(STOCK_YOGO)


def stock_yogo(endogenous: int, instruments: int, criterion: str | None = None) -> pd.Series:
    """Critical values of the Cragg-Donald F at the 5 % level: above the value, the instruments are
    not weak in the sense of its name.

    Index: iv_bias_05 ... iv_bias_30 (relative bias of 2SLS at most 5 ... 30 %), iv_size_10 ...
    iv_size_25 (size of a nominal 5 % Wald test at most 10 ... 25 %), liml_size_10 ... liml_size_25.
    Values that Stock and Yogo do not tabulate are absent (more than two endogenous regressors for
    sizes, three for bias; fewer than two overidentifying restrictions for bias; more than 30
    instruments).

    Source: Stock and Yogo (2005), Testing for Weak Instruments in Linear IV Regression, tables 5.1,
    5.2 and 5.4.
    """
    table = _table()
    found = table[(table["endogenous"] == endogenous) & (table["instruments"] == instruments)].drop(
        columns=["endogenous", "instruments"]
    )
    values = found.iloc[0].dropna() if len(found) else pd.Series(dtype=float)
    if criterion is not None:
        values = values[[str(name).startswith(criterion) for name in values.index]]
    return values.astype(float).rename("critical_value")
