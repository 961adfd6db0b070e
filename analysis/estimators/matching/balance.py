"""How alike treated and controls are, before and after matching (the numbers of Stata's pstest)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import Link
from analysis.estimators.limited.binary import design_matrix
from analysis.estimators.limited.binary_fit import fit_binary


def balance_table(
    frame: pd.DataFrame, covariates: Sequence[str], treated: np.ndarray, weights: np.ndarray
) -> pd.DataFrame:
    """One row a covariate (dummies for text), columns for before (all rows) and after (weighted).

    bias_pct is 100 * (mean treated - mean controls) / sqrt((v1 + v0) / 2) with the variances of all
    rows, before and after alike (Rosenbaum and Rubin 1985); reduction_pct is how much of its size
    matching took away; variance_ratio is v1 / v0; t and p test equal means with a pooled variance,
    after matching with the weights as frequencies.
    """
    if not covariates:
        return pd.DataFrame()
    design, names, _, _ = design_matrix(frame.assign(**{CONSTANT: 0.0}), CONSTANT, list(covariates))
    found = {}
    for name, x in zip(names[1:], design.T[1:], strict=True):
        spread = (
            np.sqrt((x[treated].var(ddof=1) + x[~treated].var(ddof=1)) / 2)
            if min(treated.sum(), (~treated).sum()) > 1
            else np.nan
        )
        row: dict[str, float] = {}
        for when, w in (("before", np.ones(len(x))), ("after", weights)):
            own, other = _moments(x[treated], w[treated]), _moments(x[~treated], w[~treated])
            gap = own[0] - other[0]
            row |= {
                f"mean_treated_{when}": own[0],
                f"mean_control_{when}": other[0],
                f"bias_pct_{when}": _ratio(100 * gap, spread),
            }
            row |= {f"variance_ratio_{when}": _ratio(own[1], other[1])}
            row[f"t_{when}"], row[f"p_{when}"] = _t_test(gap, own, other)
        row["reduction_pct"] = 100 * (
            1 - _ratio(abs(row["bias_pct_after"]), abs(row["bias_pct_before"]))
        )
        found[name] = row
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("covariate")


def balance_summary(
    frame: pd.DataFrame,
    treatment: str,
    covariates: Sequence[str],
    treated: np.ndarray,
    weights: np.ndarray,
    balance: pd.DataFrame,
    link: Link,
) -> pd.DataFrame:
    """Rows before and after: how well the covariates still tell the groups apart.

    pseudo_r2, lr_chi2, lr_df, lr_p : the score model on all rows, and on matched rows with their
        weights; mean_bias_pct and
    median_bias_pct : of absolute biases; rubin_b : standardised difference of the model's index in
        per cent; rubin_r : its variance
    ratio; note : why the model could not be fitted, empty where it could.
    """
    if not covariates:
        return pd.DataFrame()
    design, _, _, _ = design_matrix(frame.assign(**{CONSTANT: 0.0}), CONSTANT, list(covariates))
    found = {}
    for when, w in (("before", np.ones(len(treated))), ("after", weights)):
        used = w > 0
        bias = balance[f"bias_pct_{when}"].abs()
        row: dict[str, object] = {
            "mean_bias_pct": float(bias.mean()),
            "median_bias_pct": float(bias.median()),
        }
        row |= _separability(treated[used].astype(float), design[used], w[used], link)
        found[when] = row
    return pd.DataFrame.from_dict(found, orient="index")


def _separability(
    y: np.ndarray, design: np.ndarray, w: np.ndarray, link: Link
) -> dict[str, object]:
    empty = dict.fromkeys(("pseudo_r2", "lr_chi2", "lr_df", "lr_p", "rubin_b", "rubin_r"), np.nan)
    varying = np.ptp(design, axis=0) > 0
    varying[0] = True
    try:
        fit = fit_binary(y, design[:, varying], w, link)
    except ValueError as error:
        return {**empty, "note": str(error)}
    share = float(w @ y / w.sum())
    null = float(w.sum() * (share * np.log(share) + (1 - share) * np.log(1 - share)))
    chi2, df = 2 * (fit.log_likelihood - null), int(varying.sum()) - 1
    index = design[:, varying] @ fit.beta
    own, other = _moments(index[y == 1], w[y == 1]), _moments(index[y == 0], w[y == 0])
    return {
        "pseudo_r2": 1 - fit.log_likelihood / null,
        "lr_chi2": chi2,
        "lr_df": df,
        "lr_p": float(stats.chi2.sf(chi2, df)) if df else np.nan,
        "rubin_b": 100 * _ratio(abs(own[0] - other[0]), float(np.sqrt((own[1] + other[1]) / 2))),
        "rubin_r": _ratio(own[1], other[1]),
        "note": "",
    }


def _moments(x: np.ndarray, w: np.ndarray) -> tuple[float, float, float]:
    """Weighted mean, variance (weights as frequencies), and sum of weights."""
    total = float(w.sum())
    if total <= 0:
        return np.nan, np.nan, 0.0
    mean = float(w @ x / total)
    return mean, float(w @ (x - mean) ** 2 / (total - 1)) if total > 1 else np.nan, total


def _t_test(
    gap: float, own: tuple[float, float, float], other: tuple[float, float, float]
) -> tuple[float, float]:
    df = own[2] + other[2] - 2
    if not df > 0:
        return np.nan, np.nan
    pooled = ((own[2] - 1) * own[1] + (other[2] - 1) * other[1]) / df
    t = _ratio(gap, float(np.sqrt(pooled * (1 / own[2] + 1 / other[2]))))
    return t, float(2 * stats.t.sf(abs(t), df))


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below and np.isfinite(below) else np.nan
