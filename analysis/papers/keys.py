"""What may stand in a paper.toml, level by level, and what is said of a key that may not.

An estimator's own parameters stand beside these keys: `fixed_effects` takes `effects`, so a table
that is estimated by it may say `effects`. Where a parameter has the name of a key (the `estimator`
of instrumental_variables), it stands under `options`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from analysis.estimators import entry, registered
from analysis.estimators.core.registry import Entry
from analysis.papers.plain import PLAIN
from analysis.papers.published import PaperError, nearest

SAMPLE = {"panel", "years", "where", "join", "prepare"}
ESTIMATE = SAMPLE | {"estimator", "options", "then", "reason"}
SHOWN = {"rows", "equation", "variants", "note"}
LEVELS: dict[str, set[str]] = {
    "paper": {
        "title",
        "years",
        "panel",
        "rows",
        "defaults",
        "variants",
        "tables",
        "figures",
        "curves",
    },
    "defaults": ESTIMATE | {"rows", "equation"},
    "variant": ESTIMATE | {"rows", "equation", "note"},
    "table": ESTIMATE | SHOWN | {"title", "columns", "text", "bracket"},
    "column": ESTIMATE | SHOWN | {"column", "head", "from", "block"},
    "figure": ESTIMATE | {"title", "kind", "variants", "note", "draw"},
    "curve": {"title", "table", "column", "row", "choices", "beside", "unit", "note"},
    "choice": ESTIMATE - {"reason"} | {"term", "equation"},
    "row": {"term", "equation", "statistic", "text", "of"},
}


def entry_of(estimator: str) -> Entry:
    """An estimator by its name, of the registry or of `analysis.papers.plain`.

    Raises
    ------
    PaperError : an unknown name; the nearest is named.
    """
    if estimator in PLAIN:
        return Entry(estimator, "papers", PLAIN[estimator])
    try:
        return entry(estimator)
    except ValueError:
        known = [*registered(), *PLAIN]
        raise PaperError(f"unknown estimator {estimator!r}. {nearest(estimator, known)}") from None


def has_mapping_of_options(estimator: str) -> bool:
    """Does it hand options on to something that it runs?"""
    return "options" in entry_of(estimator).options


def check_keys(
    place: str, level: str, given: Mapping[str, Any], estimators: Iterable[str] = ()
) -> None:
    """Refuse keys that a level does not have and that none of the estimators takes.

    Raises
    ------
    PaperError : the key, its place, and the nearest that is known.
    """
    known = set(LEVELS[level])
    if "estimator" in known:
        try:
            known |= {option for name in estimators for option in entry_of(name).options}
        except PaperError as error:
            raise PaperError(f"{place}: {error}") from None
    for key in given:
        if key not in known:
            raise PaperError(f"{place}: unknown key {key!r}. {nearest(key, known)}")


def check_arguments(place: str, estimator: str, given: Mapping[str, Any]) -> None:
    """Refuse what an estimator does not take, what it needs and is not given, and values that are
    none of its choices.

    Raises
    ------
    PaperError : with the place.
    """
    known = entry_of(estimator).options
    for key, value in given.items():
        if key not in known:
            raise PaperError(f"{place}: {estimator} has no {key!r}. {nearest(key, known)}")
        choices = [choice for choice in known[key].choices if isinstance(choice, str)]
        if choices and isinstance(value, str) and value not in choices:
            raise PaperError(
                f"{place}: {estimator}: {key} = {value!r} is not known. {nearest(value, choices)}"
            )
    missing = [name for name, option in known.items() if option.required and name not in given]
    if missing:
        raise PaperError(f"{place}: {estimator} needs {', '.join(missing)}.")


def first_parameter(estimator: str) -> str:
    """What it is called on: "frame", or what an estimate before it gives."""
    return next(iter(inspect.signature(entry_of(estimator).function).parameters))
