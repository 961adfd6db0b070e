"""What no other program here has under one name, put together from what they have: two steps of
Heckman from statsmodels' probit and least squares, matching from its logit and scipy's trees, a
dynamic panel from linearmodels' GMM on equations and instruments that are stacked here anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial import cKDTree

Slopes = Mapping[str, float]
Arguments = Mapping[str, Any]


def heckman_slopes(frame: pd.DataFrame, arguments: Arguments) -> Slopes:
    """Probit of being selected, then least squares with the inverse of Mills' ratio."""
    from statsmodels.api import OLS, Probit, add_constant

    chosen = frame[arguments["selected"]].astype(float)
    apart = add_constant(frame[list(arguments["selection_regressors"])].astype(float))
    size = apart.abs().max()
    probit = Probit(chosen, apart / size).fit(disp=0, method="newton", tol=1e-12, maxiter=200)
    index = (apart / size) @ probit.params
    mills = np.exp(stats.norm.logpdf(index) - stats.norm.logcdf(index))
    regressors = list(arguments["regressors"])
    x = add_constant(frame[regressors].astype(float)).assign(mills=mills)
    here = chosen == 1
    fitted = OLS(frame[arguments["outcome"]].astype(float)[here], x[here]).fit()
    return {name: float(fitted.params[name]) for name in regressors}


def psm_did_slopes(frame: pd.DataFrame, arguments: Arguments) -> Slopes:
    """The pooled logit, the nearest controls by a tree, and dummies on the rows matched."""
    from statsmodels.api import Logit, add_constant

    options = arguments.get("options", {})
    if options.get("method", "neighbours") != "neighbours" or "how" in arguments:
        return {}
    treatment, covariates = arguments["treatment"], list(arguments["covariates"])
    ever = frame.groupby(arguments["unit"])[treatment].transform("max").astype(float)
    columns = [arguments["outcome"], treatment, *covariates]
    complete = frame[columns].notna().all(axis=1)
    rows, member = frame[complete], ever[complete]
    x = add_constant(rows[covariates].astype(float))
    size = x.abs().max()
    logit = Logit(member, x / size).fit(disp=0, method="newton", tol=1e-12, maxiter=200)
    score = stats.logistic.cdf(((x / size) @ logit.params).to_numpy())
    treated = np.flatnonzero(member == 1)
    controls = np.flatnonzero(member == 0)
    count = int(options.get("neighbours", 1))
    _, near = cKDTree(score[controls, None]).query(score[treated, None], k=count)
    used = np.union1d(treated, controls[np.unique(near)])
    effects = (arguments["unit"], arguments["time"])
    return dummy_slopes(rows.iloc[used], arguments["outcome"], [treatment, *covariates], effects)


def dummy_slopes(
    frame: pd.DataFrame, outcome: str, regressors: Sequence[str], effects: Sequence[str]
) -> Slopes:
    """Least squares with a dummy for every level."""
    from statsmodels.api import OLS

    dummies = [
        pd.get_dummies(frame[name].astype(str), prefix=name, dtype=float, drop_first=at > 0)
        for at, name in enumerate(effects)
    ]
    x = pd.concat([frame[list(regressors)].astype(float), *dummies], axis=1)
    fitted = OLS(frame[outcome].astype(float), x).fit()
    return {name: float(fitted.params[name]) for name in regressors}


def dynamic_slopes(frame: pd.DataFrame, arguments: Arguments) -> Slopes:
    """Two-step system GMM: linearmodels' IVGMM with clusters of units, on the differenced rows
    above the rows in levels, from the first step's weights of xtabond2 (h = 3).
    """
    from linearmodels.iv import IVGMM

    known = {"outcome", "regressors", "gmm", "iv", "unit", "time", "steps", "covariance", "where"}
    named = {column for block in arguments["gmm"] for column in _listed(block["variables"])}
    if not set(arguments) <= known or not all(one.get("collapse") for one in arguments["gmm"]):
        return {}
    if any("." in name for name in {*arguments["regressors"], *named}):
        return {}
    stacked = _Stacked(frame, arguments)
    weight = np.linalg.inv(stacked.first_weight / len(stacked.y)).astype(np.float64)
    data = {"dependent": stacked.y, "exog": None, "endog": stacked.x, "instruments": stacked.z}
    units = pd.Series(stacked.unit, index=stacked.y.index)
    model = IVGMM(**data, weight_type="clustered", clusters=units)
    fitted = model.fit(iter_limit=arguments.get("steps", 2), initial_weight=weight, tol=1e-14)
    return {name: float(fitted.params[name]) for name in arguments["regressors"]}


class _Stacked:
    """Rows of both equations, one below the other: y, x, z as frames, and who each row is of."""

    def __init__(self, frame: pd.DataFrame, arguments: Arguments) -> None:
        keys = [arguments.get("unit", "city_code"), arguments.get("time", "year")]
        where = arguments.get("where")
        asked = np.ones(len(frame), dtype=bool) if where is None else np.asarray(where)
        numbers = frame.drop(columns=keys).select_dtypes(["number", "bool"]).astype(float)
        panel = numbers.assign(asked=asked).set_index(pd.MultiIndex.from_frame(frame[keys]))
        self.panel = panel.sort_index()
        self.keys, self.arguments = keys, arguments
        self.x_names = list(arguments["regressors"])
        regression = [arguments["outcome"], *self.x_names]
        outside = [name for one in arguments["iv"] for name in _listed(one["variables"])]
        complete = self.panel[[*regression, *outside]].notna().all(axis=1)
        level = complete & (self.panel["asked"] == 1.0)
        before = self.lag(complete.astype(float), 1).eq(1.0)
        parts = [self.rows(level & before, moved=True), self.rows(level, moved=False)]
        whole = pd.concat(parts, ignore_index=True)
        z = [name for name in whole if str(name).startswith("z ")]
        self.y, self.x, self.z = whole["y"], whole[[*self.x_names, "constant"]], whole[z]
        self.unit = pd.factorize(whole["unit"])[0]
        self.period, self.moved = whole["period"].to_numpy(), whole["moved"].to_numpy(dtype=bool)

    def lag(self, column: pd.Series, periods: int) -> pd.Series:
        """By the calendar; missing where that period is not there."""
        units, times = self.panel.index.get_level_values(0), self.panel.index.get_level_values(1)
        wanted = pd.MultiIndex.from_arrays([units, times - periods])
        return pd.Series(column.reindex(wanted).to_numpy(), index=self.panel.index)

    def rows(self, which: pd.Series, *, moved: bool) -> pd.DataFrame:
        """One equation: differences, or levels."""

        def seen(name: str) -> pd.Series:
            column = self.panel[name]
            return column - self.lag(column, 1) if moved else column

        columns: dict[str, Any] = {"y": seen(self.arguments["outcome"])}
        columns |= {name: seen(name) for name in self.x_names}
        columns["constant"] = 0.0 if moved else 1.0
        columns |= dict(self.instruments(moved=moved))
        index = self.panel.index
        found = pd.DataFrame(columns, index=index)[which]
        found["unit"] = index.get_level_values(0)[which]
        found["period"] = index.get_level_values(1)[which]
        return found.assign(moved=moved)

    def instruments(self, *, moved: bool) -> Iterator[tuple[str, Any]]:
        """Collapsed lags of levels for differences, the difference of the latest of them for
        levels; others as they are, in both equations or in that of levels.
        """
        for block in self.arguments["gmm"]:
            first, last = block["lags"]
            for name in _listed(block["variables"]):
                column = self.panel[name]
                for lag in range(first, last + 1):
                    yield f"z {name} {lag}", self.lag(column, lag).fillna(0.0) if moved else 0.0
                change = column - self.lag(column, 1)
                latest = self.lag(change, first - 1).fillna(0.0)
                yield f"z {name} change", 0.0 if moved else latest
        for block in self.arguments["iv"]:
            for name in _listed(block["variables"]):
                column = self.panel[name]
                if block.get("equation") == "level":
                    yield f"z {name}", 0.0 if moved else column
                else:
                    yield f"z {name}", column - self.lag(column, 1) if moved else column
        yield "z constant", 0.0 if moved else 1.0

    @property
    def first_weight(self) -> np.ndarray:
        """sum_i Z_i' H_i Z_i with H = M M', M the differences above the levels themselves."""
        z, total = self.z.to_numpy(dtype=float), np.zeros((self.z.shape[1],) * 2)
        for unit in range(self.unit.max() + 1):
            at = np.flatnonzero(self.unit == unit)
            first = self.period[at][:, None] - np.arange(self.period.min() - 1,
                                                         self.period.max() + 1)  # fmt: skip
            m = (first == 0).astype(float) - (first == 1) * self.moved[at][:, None]
            total += z[at].T @ (m @ m.T) @ z[at]
        return total


def _listed(names: Any) -> list[str]:
    return names.split() if isinstance(names, str) else list(names)
