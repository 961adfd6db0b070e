"""Estimating a column: its rows, its prepared columns, its estimator, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.result import TIDY
from analysis.papers import keys
from analysis.papers.declared import Estimation
from analysis.papers.prepare import OPERATOR, prepared, with_operators
from analysis.papers.published import PaperError
from analysis.papers.release import WEIGHTS, Release
from analysis.papers.where import rows_of

WORD = re.compile(r"\w+")
LAGGING = {"dynamic_gmm"}  # they lag themselves, from rows that `years` and `where` leave out


@dataclass(frozen=True, eq=False)
class Estimate:
    """What came of an estimation, in a form that can be kept.

    Attributes
    ----------
    terms : a row a term, the columns of `tidy()`; empty where it could not be run
    statistics : the numbers of `glance()` by name
    note : one sentence on what was estimated
    warnings : (kind, sentence)
    reason : why it could not be run; "" where it was
    """

    terms: pd.DataFrame
    statistics: Mapping[str, float]
    note: str
    warnings: tuple[tuple[str, str], ...]
    reason: str = ""
    seconds: float = 0.0


def not_run(reason: str) -> Estimate:
    return Estimate(pd.DataFrame(columns=list(TIDY)), {}, "", (), reason)


def run(release: Release, asked: Estimation) -> tuple[Estimate, Any]:
    """Estimate; what an estimator or a panel refuses is the reason, in its own words.

    Returns
    -------
    the estimate, and the estimator's own result (None where it could not be run)
    """
    began = perf_counter()
    try:
        frame, arguments, said = sample(release, asked)
        result = keys.entry_of(asked.estimator).function(frame, **arguments)
        for estimator, more in asked.then:
            result = keys.entry_of(estimator).function(result, **more)
    except (PaperError, ValueError) as error:
        return not_run(str(error)), None
    except Exception as error:
        if type(error).__module__.startswith("analysis.estimators"):
            return not_run(str(error)), None
        raise
    return replace(kept_of(result, said), seconds=perf_counter() - began), result


def kept_of(result: Any, said: Sequence[str] = ()) -> Estimate:
    """What is kept of an estimator's result."""
    glance = result.glance().iloc[0]
    statistics = {
        str(name): float(value)
        for name, value in glance.items()
        if isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    }
    note = " ".join([result.note(), *(f"{sentence}." for sentence in said)])
    warnings = tuple((warning.kind, str(warning)) for warning in result.warnings)
    return Estimate(result.tidy()[list(TIDY)].reset_index(drop=True), statistics, note, warnings)


def sample(release: Release, asked: Estimation) -> tuple[pd.DataFrame, dict[str, Any], list[str]]:
    """The frame, the estimator's arguments, and sentences on what became of rows.

    Raises
    ------
    PaperError : a panel, a column or an expression that is not there or does not fit.
    """
    frame, units = joined(release, asked)
    frame, said = prepared(frame, asked.prepare, units)
    arguments = dict(asked.arguments)
    if asked.estimator not in LAGGING:
        frame = with_operators(frame, _operators(arguments), units)
    if isinstance(arguments.get("weights"), str) and arguments["weights"] in WEIGHTS:
        arguments["weights"] = release.weights(arguments["weights"])
    inside = np.ones(len(frame), dtype=bool)
    if asked.years is not None and "year" in frame.columns:
        inside = frame["year"].between(*asked.years).to_numpy(dtype=bool)
    if asked.where:
        chosen, unknown = rows_of(asked.where, frame)
        if lost := unknown and int((inside & _unknown(asked.where, frame)).sum()):
            said.append(f"{lost:,} rows of which {asked.where!r} is not known are left out")
        if asked.estimator in LAGGING:
            inside = inside & chosen
        else:
            arguments["where"] = chosen[inside]
    if asked.estimator in LAGGING:
        arguments["where"] = inside
        return frame, arguments, said
    return frame[inside].reset_index(drop=True), arguments, said


def joined(release: Release, asked: Estimation) -> tuple[pd.DataFrame, list[str]]:
    """The panel's columns that are named anywhere, with those of other panels, and its units.

    Raises
    ------
    PaperError : a panel to be joined that has no key in common or several rows a key.
    """
    frame = release.frame(asked.panel, words_of(asked))
    units = release.units(asked.panel)
    keys_there = [*units, "year"] if "year" in frame.columns else units
    for one in asked.join:
        added = release.frame(one["panel"], one["columns"])
        shared = [key for key in [*release.units(one["panel"]), "year"] if key in added.columns]
        if not shared or not set(shared) <= set(keys_there):
            raise PaperError(f"join: {one['panel']} has the keys {', '.join(shared)}, not ours.")
        absent = [column for column in one["columns"] if column not in added.columns]
        if absent:
            raise PaperError(f"join: {one['panel']} has no column {absent[0]!r}.")
        new = [column for column in one["columns"] if column not in frame.columns]
        if added.duplicated(shared).any():
            raise PaperError(f"join: {one['panel']} has several rows a {', '.join(shared)}.")
        frame = frame.merge(added[[*shared, *new]], on=shared, how="left")
    return frame, units


def panels_of(asked: Estimation) -> list[str]:
    """Every panel and table that an estimation reads."""
    weights = asked.arguments.get("weights")
    spatial = [f"intermediate.int_spatial__{weights}"] if weights in WEIGHTS else []
    return [asked.panel, *(one["panel"] for one in asked.join), *spatial]


def words_of(asked: Estimation) -> set[str]:
    """Every word of a specification: the columns that it needs are among them."""
    return set(_words([asked.where, asked.prepare, asked.arguments, asked.join]))


def _unknown(text: str, frame: pd.DataFrame) -> np.ndarray:
    return ~(rows_of(text, frame)[0] | rows_of(f"not ({text})", frame)[0])


def _operators(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Names such as L.x among the arguments."""
    return (text for text in _texts(arguments) if OPERATOR.fullmatch(text))


def _texts(given: Any) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, Mapping):
        for key, value in given.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(given, list | tuple):
        for value in given:
            yield from _texts(value)


def _words(given: Any) -> Iterator[str]:
    for text in _texts(given):
        yield from _words_of(text)


@cache
def _words_of(text: str) -> tuple[str, ...]:
    return tuple(WORD.findall(text))
