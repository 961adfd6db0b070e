"""New columns before an estimate: lags, logs, winsorised and standardised columns, interactions.

A step is a mapping of one verb with what it works on, and `as`, the new column's name (with {} for
the old one's where a verb takes several):

    { lag = "zone_did", periods = 1, as = "zone_did_1" }      by the panel's units and its year
    { log = ["gdp_cny"], as = "ln_{}" }                       missing where not positive
    { winsorise = ["x", "y"], percent = 1 }                   both tails, Stata's order statistics
    { standardise = ["x"] }                                   mean 0, sd 1 (n - 1 below)
    { interaction = ["x", "y"], centre = true, as = "x_y" }   a product, of deviations from means
    { formula = "x / y", as = "ratio" }                       see analysis.papers.where
    { pair = ["city_code", "hs4_code"], as = "pair" }         both keys as one, to cluster by
    { first = ["city_code", "year"], as = "once" }            1 in the first row of each, else 0
    { indicator = "year > 2012", as = "late" }                1, 0, or missing where it is unknown

`only` = an expression restricts the rows that percentiles, means and deviations are formed over.
In lists of columns L.x, L2.x, F.x and D.x are made without a step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators import percentile
from analysis.papers.published import PaperError, nearest
from analysis.papers.where import parse, rows_of, value_of

OPERATOR = re.compile(r"(?P<letter>[LFD])(?P<number>[1-9]?)\.(?P<column>.+)")
NAMES = {
    "lag": "lag_{}",
    "log": "ln_{}",
    "winsorise": "{}_winsorised",
    "standardise": "z_{}",
    "interaction": "",
    "formula": "",
    "indicator": "",
    "pair": "",
    "first": "",
}
OPTIONS = {
    "lag": {"periods"},
    "winsorise": {"percent", "only"},
    "standardise": {"only"},
    "interaction": {"centre", "only"},
}


def check_steps(steps: Sequence[Mapping[str, Any]]) -> None:
    """Refuse steps that cannot be read.

    Raises
    ------
    PaperError : no verb or several, an unknown key, or a name that is needed and missing.
    """
    for step in steps:
        verbs = [key for key in step if key in NAMES]
        if len(verbs) != 1:
            said = ", ".join(step) or "nothing"
            raise PaperError(f"prepare: a step has one verb of {', '.join(NAMES)}; given: {said}.")
        verb = verbs[0]
        known = {verb, "as", *OPTIONS.get(verb, ())}
        for key in step:
            if key not in known:
                raise PaperError(f"prepare, {verb}: unknown key {key!r}. {nearest(key, known)}")
        if not NAMES[verb] and "as" not in step:
            raise PaperError(f"prepare, {verb}: a name is needed under `as`.")
        for text in (step.get("only"), step[verb] if verb in ("formula", "indicator") else None):
            if text is not None:
                parse(text)


def prepared(
    frame: pd.DataFrame, steps: Sequence[Mapping[str, Any]], units: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """The frame with the steps' columns, and a sentence a step that lost values.

    Raises
    ------
    PaperError : a column that is not there, or a name that is taken.
    """
    said: list[str] = []
    made = frame.copy(deep=False)
    for step in steps:
        verb = next(key for key in step if key in NAMES)
        for name, column in _new(made, step, verb, units):
            if name in made.columns:
                raise PaperError(f"prepare, {verb}: there is a column {name!r} already.")
            made[name] = column
            lost = int(column.isna().sum())
            if verb == "log" and lost:
                said.append(f"{name}: {lost:,} rows are not positive or missing")
    return made, said


def with_operators(frame: pd.DataFrame, names: Iterable[str], units: Sequence[str]) -> pd.DataFrame:
    """The frame with a column for each name such as L.x that is none yet and whose x is one."""
    made = frame.copy(deep=False)
    for name in dict.fromkeys(names):
        found = OPERATOR.fullmatch(name)
        if name in made.columns or not found or found["column"] not in made.columns:
            continue
        step = int(found["number"] or 1)
        shifted = lagged(made, found["column"], units, -step if found["letter"] == "F" else step)
        made[name] = made[found["column"]] - shifted if found["letter"] == "D" else shifted
    return made


def lagged(frame: pd.DataFrame, column: str, units: Sequence[str], periods: int) -> pd.Series:
    """A column `periods` years before, by unit; missing where that year is not there.

    Raises
    ------
    PaperError : no column `year`, or a unit with two rows a year.
    """
    if "year" not in frame.columns or not units:
        raise PaperError(f"a lag of {column} needs units and a column `year`.")
    keys = [*units, "year"]
    if frame.duplicated(keys).any():
        raise PaperError(f"a lag of {column}: {', '.join(keys)} name some rows twice.")
    before = frame[[*keys, column]].rename(columns={column: "_before"})
    before = before.assign(year=before["year"] + periods)
    return frame[keys].merge(before, on=keys, how="left").set_axis(frame.index)["_before"]


def _new(
    frame: pd.DataFrame, step: Mapping[str, Any], verb: str, units: Sequence[str]
) -> Iterable[tuple[str, pd.Series]]:
    if verb == "formula":
        return [(step["as"], value_of(step[verb], frame))]
    if verb == "indicator":
        found, unknown = rows_of(step[verb], frame)
        column = pd.Series(found.astype(float), index=frame.index)
        if unknown:
            here, _ = rows_of(f"not ({step[verb]})", frame)
            column = column.where(found | here)
        return [(step["as"], column)]
    names = [step[verb]] if isinstance(step[verb], str) else list(step[verb])
    if absent := [name for name in names if name not in frame.columns]:
        raise PaperError(
            f"prepare, {verb}: there is no column {absent[0]!r}."
            f" {nearest(absent[0], frame.columns)}"
        )
    if verb == "pair":
        joined = frame[names[0]].astype(str).str.cat([frame[n].astype(str) for n in names[1:]], "#")
        return [(step["as"], joined.where(frame[names].notna().all(axis=1)))]
    if verb == "first":
        return [(step["as"], (~frame.duplicated(names)).astype(float))]
    if verb == "interaction":
        return [(step["as"], _product(frame, names, step))]
    pattern = str(step.get("as", NAMES[verb]))
    work = {"lag": _lag, "log": _log, "winsorise": _winsorised, "standardise": _standardised}[verb]
    return [(pattern.replace("{}", name), work(frame, name, step, units)) for name in names]


Work = Callable[[pd.DataFrame, str, Mapping[str, Any], Sequence[str]], pd.Series]


def _lag(frame: pd.DataFrame, name: str, step: Mapping[str, Any], units: Sequence[str]) -> Any:
    return lagged(frame, name, units, int(step.get("periods", 1)))


def _log(frame: pd.DataFrame, name: str, step: Mapping[str, Any], units: Sequence[str]) -> Any:
    values = _numbers(frame[name])
    return np.log(values.where(values > 0))


def _winsorised(
    frame: pd.DataFrame, name: str, step: Mapping[str, Any], units: Sequence[str]
) -> Any:
    values, percent = _numbers(frame[name]), float(step.get("percent", 1))
    base = _only(frame, values, step)
    low, high = (percentile(base.to_numpy(), q) for q in (percent, 100 - percent))
    return values.clip(low, high)


def _standardised(
    frame: pd.DataFrame, name: str, step: Mapping[str, Any], units: Sequence[str]
) -> Any:
    values = _numbers(frame[name])
    base = _only(frame, values, step)
    return (values - base.mean()) / base.std(ddof=1)


def _product(frame: pd.DataFrame, names: Sequence[str], step: Mapping[str, Any]) -> pd.Series:
    product = pd.Series(1.0, index=frame.index)
    for name in names:
        values = _numbers(frame[name])
        middle = _only(frame, values, step).mean() if step.get("centre") else 0.0
        product = product * (values - middle)
    return product


def _only(frame: pd.DataFrame, values: pd.Series, step: Mapping[str, Any]) -> pd.Series:
    if "only" not in step:
        return values.dropna()
    return values[rows_of(step["only"], frame)[0]].dropna()


def _numbers(column: pd.Series) -> pd.Series:
    return pd.Series(column.to_numpy(dtype=float, na_value=np.nan), index=column.index)
