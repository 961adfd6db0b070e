"""What another program says of a column, in the shape that ours is compared in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Arguments = Mapping[str, Any]
Term = tuple[str, str]  # equation, "" where ours is the only one; term
KEYS = {"unit", "time", "where", "keys"}  # what says which rows, rather than what is done with them


class NoPeerError(Exception):
    """The other program does not have what a column asks for."""


@dataclass(frozen=True)
class Theirs:
    """Numbers of another program.

    Attributes
    ----------
    coefficients, errors : by term
    fit : our name in `glance()` -> rows, R2 and their like
    converted : what was done to its standard errors, where its convention is another than ours
    """

    coefficients: Mapping[Term, float]
    errors: Mapping[Term, float]
    fit: Mapping[str, float]
    converted: str = ""


def only(arguments: Arguments, known: Collection[str]) -> None:
    """Refuse a column with an argument that would be passed over.

    Raises
    ------
    NoPeerError : naming it.
    """
    if more := sorted(set(arguments) - KEYS - set(known) - {"then"}):
        raise NoPeerError(f"{', '.join(more)}: not in the other program.")


def plain(values: Mapping[str, float] | Any, names: Sequence[str], equation: str = "") -> dict:
    """Numbers by (equation, term), from a Series or a mapping."""
    return {(equation, name): float(values[name]) for name in names}
