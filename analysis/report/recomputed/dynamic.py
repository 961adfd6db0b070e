"""A dynamic panel by linearmodels' GMM, on equations and instruments that are stacked here anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from analysis.report.recomputed.least_squares import asked
from analysis.report.recomputed.theirs import Arguments, NoPeerError, Theirs, only, plain

STEP = 1e-4  # of a coefficient, in its standard errors; the second step is close to linear in it


def dynamic(frame: pd.DataFrame, arguments: Arguments) -> Theirs:
    """System GMM: linearmodels' IVGMM with clusters of units, on the differenced rows above the
    rows in levels, from the first step's weights of xtabond2 (h = 3).

    Windmeijer's (2005) errors need the derivative of the second step's coefficients by the first's;
    here IVGMM is fitted again at first steps that are moved a little (his equation 3.2 says what
    that derivative is).
    """
    only(arguments, ("outcome", "regressors", "gmm", "iv", "steps", "covariance"))
    named = {column for block in arguments["gmm"] for column in _listed(block["variables"])}
    if not all(one.get("collapse") for one in arguments["gmm"]):
        raise NoPeerError("instruments that are not collapsed.")
    if any("." in name for name in {*arguments["regressors"], *named}):
        raise NoPeerError("lags that the estimator makes.")
    if arguments.get("steps", 2) != 2 or arguments.get("covariance", "robust") != "robust":
        raise NoPeerError("one step, or errors without Windmeijer's correction.")
    stacked = _Stacked(frame, arguments)
    steps = _Steps(stacked)
    first, second = steps.first, steps.second(steps.first.params)
    names = list(first.params.index)
    error = np.sqrt(np.diag(first.cov))
    moved = []
    for at, size in enumerate(STEP * error):
        shift = np.eye(len(names))[at] * size
        up, down = (steps.second(first.params + s * shift).params for s in (1, -1))
        moved.append((up - down) / (2 * size))
    d = np.column_stack(moved)
    plain_v = steps.plain(first.params)
    spread = plain_v + d @ plain_v + plain_v @ d.T + d @ first.cov.to_numpy() @ d.T
    errors = pd.Series(np.sqrt(np.diag(spread)), names)
    fit = {"nobs": float((~stacked.moved).sum()), "hansen_statistic": float(second.j_stat.stat)}
    said = "linearmodels has no Windmeijer: its second step differentiated by its first"
    return Theirs(plain(second.params, names), plain(errors, names), fit, said)


class _Steps:
    """Both steps by IVGMM."""

    def __init__(self, stacked: _Stacked) -> None:
        from linearmodels.iv import IVGMM

        self.stacked = stacked
        units = pd.Series(stacked.unit, index=stacked.y.index)
        self.model = IVGMM(stacked.y, None, stacked.x, stacked.z, weight_type="clustered",
                           clusters=units)  # fmt: skip
        self.units = units
        self.first = self._once(stacked.first_weight)

    def _once(self, moments: np.ndarray) -> Any:
        weight = np.linalg.inv(moments / len(self.stacked.y)).astype(np.float64)
        return self.model.fit(iter_limit=1, initial_weight=weight, cov_type="clustered",
                              clusters=self.units)  # fmt: skip

    def moments(self, b: pd.Series) -> np.ndarray:
        """sum_i Z_i'e_i e_i'Z_i at coefficients."""
        s = self.stacked
        e = s.y.to_numpy() - s.x.to_numpy() @ b.to_numpy()
        sums = pd.DataFrame(s.z.to_numpy() * e[:, None]).groupby(s.unit).sum().to_numpy()
        return np.asarray(sums.T @ sums)

    def second(self, b: pd.Series) -> Any:
        return self._once(self.moments(b))

    def plain(self, b: pd.Series) -> np.ndarray:
        """(X'Z A Z'X)^-1 with the weights at the first step's coefficients."""
        zx = self.stacked.z.to_numpy().T @ self.stacked.x.to_numpy()
        return np.linalg.inv(zx.T @ np.linalg.solve(self.moments(b), zx))


class _Stacked:
    """Rows of both equations, one below the other: y, x, z as frames, and who each row is of."""

    def __init__(self, frame: pd.DataFrame, arguments: Arguments) -> None:
        keys = [arguments.get("unit", "city_code"), arguments.get("time", "year")]
        numbers = frame.drop(columns=keys).select_dtypes(["number", "bool"]).astype(float)
        panel = numbers.assign(asked=asked(frame, arguments))
        panel = panel.set_index(pd.MultiIndex.from_frame(frame[keys]))
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
