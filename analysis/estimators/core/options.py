"""The one grammar of options: every name that an argument may take, and what is said of one that it
may not.

    covariance   "iid", "robust", or {"cluster": ["city_code"]}; one column of clusters or two.
                 fixed_effects also {"driscoll_kraay": "year", "lags": 2} and
                 {"conley": ["latitude", "longitude"], "km": 300, "kernel": "uniform"}
    small        what a covariance is multiplied with in a small sample, named after its formula or
                 the program that prints it
    weights      column of analytic weights (spatial estimators: the SpatialWeights); weight_kind
                 says if they are frequencies
    unit, time   key columns of a panel, default city_code and year
    controls     regressors that nobody asks about, after those that somebody does
    where        rows to estimate on: a column of booleans (or 0 and 1), or a mask of the frame's
                 length. Lags, ranks and means that an estimator forms itself are formed before,
                 from all rows
    level        of intervals, between 0 and 1
    seed, draws  of what is random

Positional order is the same everywhere: frame, outcome, treatment or regressors, controls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import check_columns, rows
from analysis.estimators.core.names import CONSTANT, nearest

# every family
CovarianceKind = Literal["iid", "robust", "cluster", "driscoll_kraay", "conley"]
CovarianceOption = Literal["iid", "robust"] | Mapping[str, Sequence[str] | str | float]
ConleyKernel = Literal["uniform", "triangular"]
WeightKind = Literal["analytic", "frequency"]
Singletons = Literal["keep", "drop"]
Collinear = Literal["error", "drop"]
Percentiles = Literal["stata", "altdef", "linear"]

# effects absorbed (fixed effects, and what runs them)
EffectsSmall = Literal["reghdfe_nested", "fixest_nested", "fixest_full", "linearmodels"]
EffectCount = Literal["pairwise", "exact"]
ConstantForm = Literal["grand_mean", "first_period"]

# panel regressions
PanelModel = Literal["pooled", "within", "between", "random"]
PanelEffect = Literal["unit", "time", "both"]
PanelSmall = Literal["none", "HC1", "sss"]
Inference = Literal["t", "normal"]
HausmanMethod = Literal["classic", "regression"]
HausmanVariances = Literal["own", "random", "within"]

# instrumental variables
IvEstimator = Literal["2sls", "liml", "fuller", "k_class", "gmm"]
IvSmall = Literal["none", "sss"]

# dynamic panels
GmmEquation = Literal["both", "difference", "level"]
Transform = Literal["difference", "orthogonal"]
GmmConventions = Literal["published", "xtabond2_3.7", "dpd"]
GmmTimeEffects = Literal[False, True, "undifferenced"]
GmmInverse = Literal["drop", "moore_penrose"]
GmmSystem = Literal["system", "difference"]
GmmSmall = Literal["none", "xtabond2"]
GmmSteps = Literal[1, 2]
GmmWeighting = Literal[1, 2, 3]
ArEquation = Literal["difference", "level"]

# differences in differences
EffectKind = Literal["simple", "dynamic", "group", "calendar"]
ShareError = Literal["exact", "did_2_1"]
DidControl = Literal["nevertreated", "notyettreated"]
DidBase = Literal["varying", "universal"]
Sampling = Literal["panel", "unbalanced_panel", "cross_sections"]
Restriction = Literal["relative_magnitude", "smoothness"]
AveragedOver = Literal["cohort_period", "event_time", "cohort"]
MatchHow = Literal["pooled", "yearly", "base_period"]
MatchUse = Literal["rows", "weights", "support"]
MissingCohort = Literal["ask", "drop", "never"]
DidMethod = Literal["dr", "reg", "ipw"]
EventEnds = Literal["bin", "drop", "reference"]

# matching
AttError = Literal["psmatch2", "abadie_imbens"]
MatchMethod = Literal["neighbours", "radius", "kernel"]
MatchSupport = Literal["none", "common", "overlap", "trim"]
MatchTies = Literal["average", "first"]
Kernel = Literal["epanechnikov", "gaussian", "biweight", "uniform", "tricube"]

# placebo
PlaceboDrawBy = Literal["unit", "cell", "row"]
PlaceboDates = Literal["kept", "drawn"]

# spatial estimators
Alternative = Literal["greater", "two-sided", "less"]
Normalise = Literal["row", "spectral", "max", "none"]
Islands = Literal["keep", "drop", "refuse"]
PooledMean = Literal["all", "period"]
LocalVariance = Literal["conditional", "total"]

# systems of equations
SystemMethod = Literal["OLS", "WLS", "SUR", "2SLS", "W2SLS", "3SLS"]
ResidualCovariance = Literal["none", "geomean", "max", "theil"]
SystemFormula = Literal["GLS", "IV", "Schmidt", "GMM", "EViews"]
SystemInference = Literal["equation", "system", "normal"]
HausmanDf = Literal["rank", "coefficients"]

# limited outcomes
Link = Literal["logit", "probit"]
HeckmanEstimator = Literal["two_step", "ml"]
LimitedSmall = Literal["none", "stata"]

Where = str | Sequence[bool] | np.ndarray | pd.Series


@dataclass(frozen=True)
class Covariance:
    """What is assumed of the errors, once the option has been read.

    Attributes
    ----------
    kind : "iid" equal and independent, "robust" independent, "cluster" dependent inside clusters,
        "driscoll_kraay" and "conley" by how near rows are (analysis.estimators.core.kernels)
    clusters : columns of the clusters; none unless clustered
    time, lags : of Driscoll-Kraay: the periods, and how many apart still count (None: by a rule)
    place, km, kernel : of Conley: latitude and longitude, how far apart still counts, and how
    """

    kind: CovarianceKind
    clusters: tuple[str, ...] = ()
    time: str = ""
    lags: int | None = None
    place: tuple[str, ...] = ()
    km: float = 0.0
    kernel: ConleyKernel = "uniform"

    @property
    def cluster(self) -> str | None:
        """The column, where there is one."""
        return self.clusters[0] if len(self.clusters) == 1 else None


def checked(name: str, value: Any, choices: Any) -> Any:
    """The value of an option if it is one of its choices, a Literal or a sequence of names.

    Raises
    ------
    ValueError : naming the option, what it was given, and the nearest of its choices.
    """
    known = get_args(choices) or tuple(choices)
    if isinstance(value, (str, int)) and value in known:
        return value
    raise ValueError(f"{name} = {value!r} is not known. {nearest(value, map(str, known))}")


def covariance_of(
    option: CovarianceOption,
    *,
    most: int = 2,
    kinds: Sequence[CovarianceKind] = ("iid", "robust", "cluster"),
) -> Covariance:
    """Read the option `covariance`.

    Parameters
    ----------
    most : columns of clusters that the estimator can take
    kinds : what the estimator has a formula for

    Raises
    ------
    ValueError : an unknown name or key, no column or too many, one twice, or a kind that the
        estimator has no formula for.
    """
    if isinstance(option, Mapping):
        kind = next((name for name in OF_KIND if name in option), "cluster")
        for key in option:
            checked("covariance", key, OF_KIND[kind] if kind in kinds else ("cluster",))
        found = _READ[kind](option, most)
    else:
        found = Covariance(checked("covariance", option, ("iid", "robust")))
    if found.kind not in kinds:
        raise ValueError(
            f"covariance = {option!r}: this estimator has {', '.join(kinds)} errors only."
        )
    return found


# What a covariance that is a mapping may say, by its kind.
OF_KIND: Mapping[str, tuple[str, ...]] = {
    "cluster": ("cluster",),
    "driscoll_kraay": ("driscoll_kraay", "lags"),
    "conley": ("conley", "km", "kernel"),
}


def _clustered(option: Mapping[str, Any], most: int) -> Covariance:
    given = option.get("cluster", ())
    columns = (given,) if isinstance(given, str) else tuple(given)
    if not 1 <= len(columns) <= most or len(set(columns)) < len(columns):
        many = "one column" if most == 1 else "one column or two different ones"
        raise ValueError(f"covariance: errors are clustered by {many}; given: {list(columns)}.")
    return Covariance("cluster", columns)


def _driscoll_kraay(option: Mapping[str, Any], most: int) -> Covariance:
    time, lags = option["driscoll_kraay"], option.get("lags")
    if not isinstance(time, str):
        raise ValueError(f"covariance: driscoll_kraay is the column of periods; given: {time!r}.")
    if lags is not None and (not isinstance(lags, int) or isinstance(lags, bool) or lags < 0):
        raise ValueError(f"covariance: lags = {lags!r}: a whole number, zero or more.")
    return Covariance("driscoll_kraay", time=time, lags=lags)


def _conley(option: Mapping[str, Any], most: int) -> Covariance:
    place, km = option["conley"], option.get("km")
    if isinstance(place, str) or len(place) != 2 or len(set(place)) != 2:
        raise ValueError(f"covariance: conley is [latitude, longitude]; given: {place!r}.")
    if isinstance(km, bool) or not isinstance(km, (int, float)) or not km > 0:
        raise ValueError(f"covariance: km = {km!r}: the distance up to which errors go together.")
    kernel = checked("kernel", option.get("kernel", "uniform"), ConleyKernel)
    return Covariance("conley", place=tuple(place), km=float(km), kernel=kernel)


_READ: Mapping[str, Callable[[Mapping[str, Any], int], Covariance]] = {
    "cluster": _clustered,
    "driscoll_kraay": _driscoll_kraay,
    "conley": _conley,
}


def columns_of(
    name: str, given: Sequence[str], *, outcome: str | None = None, empty: bool = False
) -> list[str]:
    """The column names of an argument that takes several, each once, none of them the outcome or
    called constant.

    Raises
    ------
    ValueError : a text in place of a list, too few, one twice, or a name that is taken.
    """
    if isinstance(given, str):
        raise ValueError(f"{name} is a list of column names, such as [{given!r}].")
    listed = list(given)
    if (not listed and not empty) or len(set(listed)) < len(listed):
        raise ValueError(
            f"{name} must be different columns{'' if empty else ', at least one'}; given: {listed}."
        )
    if outcome is not None and outcome in listed:
        raise ValueError(f"{name} cannot hold the outcome {outcome!r}; given: {listed}.")
    if CONSTANT in listed:
        raise ValueError(
            f"{name}: a column cannot be called {CONSTANT!r}, the result has a term of that name."
            " Rename it."
        )
    return listed


def level_of(level: float) -> float:
    """The level of an interval, between 0 and 1.

    Raises
    ------
    ValueError : 95 in place of 0.95, and anything else outside.
    """
    if not 0 < level < 1:
        raise ValueError(
            f"level = {level!r}: the share of intervals that hold the truth, between 0 and 1, such"
            " as 0.95."
        )
    return level


def row_mask(frame: pd.DataFrame, where: Where | None) -> np.ndarray | None:
    """The rows to estimate on (n,) bool; None for all.

    Raises
    ------
    ValueError : an unknown column, something other than booleans (or 0 and 1), missing values,
        another length or another index.
    """
    if where is None:
        return None
    if isinstance(where, str):
        check_columns(frame, [where])
        what, values = f"where = {where!r}", frame[where]
    else:
        what, values = (
            "where",
            where if isinstance(where, pd.Series) else pd.Series(np.asarray(where)),
        )
        if isinstance(where, pd.Series) and not where.index.equals(frame.index):
            raise ValueError(
                "where: a Series has the index of the frame; this one has another. Give an "
                "array, or a Series made from the frame."
            )
    if len(values) != len(frame):
        raise ValueError(f"where: a mask of {rows(len(values))} for a frame of {rows(len(frame))}.")
    if values.isna().any():
        raise ValueError(
            f"{what}: {rows(int(values.isna().sum()))} say neither yes nor no. Fill them."
        )
    if not pd.api.types.is_bool_dtype(values) and not (
        pd.api.types.is_numeric_dtype(values) and values.isin([0, 1]).all()
    ):
        raise ValueError(f"{what}: it holds {values.dtype}, not booleans (or 0 and 1).")
    return values.to_numpy(dtype=bool)
