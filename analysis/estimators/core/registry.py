"""Every estimator by its name, with what can be asked of it: the door through which a paper's table
comes in.

A family registers its public functions in its `__init__`. The schema of options is read off the
signature: what a function takes is written once, in its parameters and their Literals.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from analysis.estimators.core.hints import accepts, choices, literals, words
from analysis.estimators.core.names import nearest

NAMING = ("effects", "keys", "unit", "time", "weights", "covariance")  # options that name columns
SENTENCE = re.compile(r"(?<=[.:])\s+(?=[A-Z])")  # where one ends and the next begins


@dataclass(frozen=True)
class Option:
    """One parameter of an estimator.

    Attributes
    ----------
    required : it has no default
    default : what holds where it is not given; None where it is required
    choices : the values that a Literal allows; empty where there is none, or something beside it
    annotation : its type, as text
    hint : its type; `kind` says it in words
    """

    name: str
    required: bool
    default: Any
    choices: tuple[Any, ...]
    annotation: str
    hint: Any = Any

    @property
    def kind(self) -> str:
        """What may be given: "a number", "a list of text", "'logit' or 'probit'"."""
        return words(self.hint)

    def refusal(self, value: Any) -> str:
        """What is wrong with a value; empty where nothing is."""
        if accepts(self.hint, value):
            return ""
        named = [str(choice) for choice in literals(self.hint)]
        if named and isinstance(value, str):
            return f"{self.name} = {value!r} is not known. {nearest(value, named)}"
        return f"{self.name} = {value!r} is not {self.kind}."


@dataclass(frozen=True)
class Entry:
    """A registered function.

    Attributes
    ----------
    family : the package it stands in
    takes : "frame" for an estimator; the name of its first parameter for what follows on an
        estimate ("study", "result")
    """

    name: str
    family: str
    function: Callable[..., Any]

    @property
    def takes(self) -> str:
        return next(iter(inspect.signature(self.function).parameters))

    @property
    def summary(self) -> str:
        """The first sentence of its description."""
        paragraph = (inspect.getdoc(self.function) or "").split("\n\n", 1)[0]
        return SENTENCE.split(" ".join(paragraph.split()), maxsplit=1)[0]

    @functools.cached_property
    def options(self) -> Mapping[str, Option]:
        """What it takes besides the frame, in its order."""
        hints = get_type_hints(self.function)
        parameters = list(inspect.signature(self.function).parameters.values())[1:]
        named = [
            p
            for p in parameters
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and not p.name.startswith("_")
        ]
        return {p.name: _option(p, hints.get(p.name)) for p in named}


_ENTRIES: dict[str, Entry] = {}


def register(family: str, *functions: Callable[..., Any]) -> None:
    """Give each function a door under its own name.

    Raises
    ------
    ValueError : a name that another function has.
    """
    for function in functions:
        there = _ENTRIES.get(function.__name__)
        if there is not None and there.function is not function:
            raise ValueError(
                f"two estimators are called {function.__name__}: one in {there.family}, one in"
                f" {family}."
            )
        _ENTRIES[function.__name__] = Entry(function.__name__, family, function)


def registered() -> dict[str, Entry]:
    """All entries by name, in the order of the names."""
    return dict(sorted(_ENTRIES.items()))


def entry(name: str) -> Entry:
    """The entry of that name.

    Raises
    ------
    ValueError : an unknown name; the nearest is named.
    """
    if name not in _ENTRIES:
        raise ValueError(f"there is no estimator {name!r}. {nearest(name, registered())}")
    return _ENTRIES[name]


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """Refuse options that the estimator does not have, required ones that are missing, and values
    of another type or not among their choices.

    Raises
    ------
    ValueError : naming the estimator, the option and the nearest that is known.
    """
    known = entry(name).options
    for option in options:
        if option not in known:
            raise ValueError(f"{name} has no option {option!r}. {nearest(option, known)}")
    for option, value in options.items():
        refusal = known[option].refusal(value)
        if refusal:
            raise ValueError(f"{name}: {refusal}")
    missing = [
        option.name for option in known.values() if option.required and option.name not in options
    ]
    if missing:
        raise ValueError(f"{name} needs {', '.join(missing)}.")


def estimate(name: str, frame: Any, options: Mapping[str, Any]) -> Any:
    """Call an estimator by its name on a frame (or on an estimate, where it follows on one).

    Raises
    ------
    ValueError : an unknown name or option, and whatever the estimator refuses.
    """
    check_options(name, options)
    return entry(name).function(frame, **options)


@dataclass(frozen=True)
class Regression:
    """A registered estimator of outcome and regressors with its options fixed, as mediation and its
    like run it.

    Parameters
    ----------
    name : such as "fixed_effects"
    options : of that estimator, other than outcome and regressors

    Raises
    ------
    ValueError : an unknown name or option, or an estimator that does not take an outcome and
        regressors.
    """

    name: str
    options: Mapping[str, Any]

    def __post_init__(self) -> None:
        taken = list(entry(self.name).options)
        if taken[:2] != ["outcome", "regressors"]:
            raise ValueError(
                f"{self.name} takes {', '.join(taken[:2])}: what is needed here takes an outcome"
                " and regressors."
            )
        check_options(self.name, {"outcome": "", "regressors": [], **self.options})

    def __call__(self, frame: Any, outcome: str, regressors: Sequence[str]) -> Any:
        return entry(self.name).function(frame, outcome, list(regressors), **self.options)

    @property
    def columns(self) -> list[str]:
        """Columns that the options name besides outcome and regressors: effects, keys, clusters,
        weights.
        """
        known = entry(self.name).options
        given = {
            name: self.options.get(name, known[name].default) for name in NAMING if name in known
        }
        clusters = given.pop("covariance", None)
        given["clusters"] = clusters.get("cluster") if isinstance(clusters, Mapping) else None
        listed = [
            (value,) if isinstance(value, str) else tuple(value or ()) for value in given.values()
        ]
        return list(
            dict.fromkeys(part for names in listed for name in names for part in name.split("#"))
        )


def _option(parameter: inspect.Parameter, hint: Any) -> Option:
    required = parameter.default is parameter.empty
    default = None if required else parameter.default
    given = parameter.annotation
    text = given if isinstance(given, str) else str(given)
    return Option(parameter.name, required, default, choices(hint), text, hint)
