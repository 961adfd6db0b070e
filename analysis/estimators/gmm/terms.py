"""Lag operators: from 'L(0/2).(k ys)' or Lag("k", 0, 2) to terms that can be looked up in a panel.

The grammar is Stata's, without evaluating anything: L, F and D (lag, lead, difference), each alone,
with a number (L2), or, for L and F, with a list in brackets (L(0/2), L(1 3)), chained (LD, L2D) and
followed by a dot and a column or several columns in brackets. A string that is itself the name of a
column is that column, whatever it looks like.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_LAG = 1000
_OPERATOR = re.compile(r"([LFDlfd])(\d+|\([^()]*\))?")
_PREFIX = re.compile(r"((?:[LFDlfd](?:\d+|\([^()]*\))?)+)\.(?=.)")


@dataclass(frozen=True)
class Term:
    """A column, lagged by `lag` periods (negative: a lead) and differenced `differences` times."""

    column: str
    lag: int = 0
    differences: int = 0

    @property
    def label(self) -> str:
        """'n', 'L1.n', 'F2.n', 'D.n', 'L1D.n': the name that the result gives to the term."""
        shift = "" if self.lag == 0 else f"{'L' if self.lag > 0 else 'F'}{abs(self.lag)}"
        change = {0: "", 1: "D"}.get(self.differences, f"D{self.differences}")
        return f"{shift}{change}.{self.column}" if shift or change else self.column


@dataclass(frozen=True)
class Lag:
    """Lags `first` to `last` of a column, both included; Lag("n") is the first lag, Lag("n", 2) the
    second alone."""

    column: str
    first: int = 1
    last: int | None = None


TermSpec = str | Term | Lag | Mapping[str, Any]


def expand(specs: TermSpec | Iterable[TermSpec], columns: Collection[str]) -> tuple[Term, ...]:
    """The terms that the specs stand for, in the order given, repeated ones once.

    Parameters
    ----------
    specs : one spec or several; a string may hold several, separated by blanks ('L.n L(0/1).(w
        k)'); a mapping has Lag's fields
    columns : names of the frame's columns

    Raises
    ------
    ValueError : a string that is neither a column nor a lag operator on columns.
    """
    listed: list[TermSpec] = (
        [specs] if isinstance(specs, str | Term | Lag | Mapping) else list(specs)
    )
    terms: list[Term] = []
    for spec in listed:
        if isinstance(spec, Mapping):
            spec = _lag(spec)
        if isinstance(spec, Term):
            terms.append(spec)
        elif isinstance(spec, Lag):
            last = spec.first if spec.last is None else spec.last
            terms += [
                Term(spec.column, lag)
                for lag in _run(
                    spec.first, last, f"Lag({spec.column!r}, {spec.first}, {spec.last})"
                )
            ]
        elif isinstance(spec, str):
            terms += _parse(spec, columns)
        else:
            raise ValueError(
                f"{spec!r} is not a term. Give a column, a string such as 'L(0/2).k', or Lag('k',"
                " 0, 2)."
            )
    return tuple(dict.fromkeys(terms))


def _lag(given: Mapping[str, Any]) -> Lag:
    lags = [value for name, value in given.items() if name != "column"]
    if (
        set(given) - {"column", "first", "last"}
        or "column" not in given
        or any(not isinstance(lag, int) for lag in lags)
    ):
        raise ValueError(
            f"{dict(given)!r} is not a term. A mapping has column, and may have first and last:"
            " whole numbers of periods."
        )
    return Lag(**given)


def _parse(text: str, columns: Collection[str]) -> list[Term]:
    if text in columns:
        return [Term(text)]
    return [term for piece in _pieces(text) for term in _parse_piece(piece, columns, text)]


def _pieces(text: str) -> list[str]:
    """Split at blanks that are outside brackets."""
    pieces, depth, current = [], 0, ""
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign.isspace() and depth == 0:
            pieces.append(current)
            current = ""
        else:
            current += sign
    pieces.append(current)
    return [piece for piece in pieces if piece]


def _parse_piece(piece: str, columns: Collection[str], whole: str) -> list[Term]:
    changes, rest = [(0, 0)], piece
    while rest not in columns and (found := _PREFIX.match(rest)):
        for letter, argument in _OPERATOR.findall(found[1]):
            changes = [
                (lag + more, size + extra)
                for lag, size in changes
                for more, extra in _operator(letter.upper(), argument, whole)
            ]
        rest = rest[found.end() :]
    if rest not in columns and rest.startswith("(") and rest.endswith(")"):
        inner = [
            term for part in _pieces(rest[1:-1]) for term in _parse_piece(part, columns, whole)
        ]
    else:
        inner = [Term(rest)]
    if not inner or any(
        set("()").intersection(term.column) and term.column not in columns for term in inner
    ):
        raise ValueError(
            f"cannot read {whole!r} as terms. Write a column, 'L.n', 'L2.n', 'L(0/2).k', 'L(0/1).(w"
            " k)', or Lag('k', 0, 2)."
        )
    return [
        Term(term.column, term.lag + lag, term.differences + size)
        for term in inner
        for lag, size in changes
    ]


def _operator(letter: str, argument: str, whole: str) -> list[tuple[int, int]]:
    """(lag, differences) pairs that one operator stands for."""
    if letter == "D":
        if argument.startswith("("):
            raise ValueError(f"{whole!r}: D takes a number, not a list. Write 'D.n' or 'D2.n'.")
        return [(0, int(argument or 1))]
    sign = 1 if letter == "L" else -1
    if not argument.startswith("("):
        return [(sign * lag, 0) for lag in _run(int(argument or 1), int(argument or 1), whole)]
    lags: list[int] = []
    for part in argument[1:-1].replace(",", " ").split():
        found = re.fullmatch(r"(-?\d+)(?:/(-?\d+))?", part)
        if not found:
            raise ValueError(
                f"{whole!r}: {part!r} is not a lag. Write 'L(0/2).k' for lags 0 to 2, or 'L(1 3).k'"
                " for 1 and 3."
            )
        lags += _run(int(found[1]), int(found[2] or found[1]), whole)
    if not lags:
        raise ValueError(f"{whole!r} has an empty list of lags. Write 'L(0/2).k' for lags 0 to 2.")
    return [(sign * lag, 0) for lag in lags]


def _run(first: int, last: int, whole: str) -> range:
    if last < first or max(abs(first), abs(last)) > LONGEST_LAG:
        raise ValueError(
            f"{whole!r}: lags run from the smaller to the larger, within {LONGEST_LAG}; given"
            f" {first} to {last}."
        )
    return range(first, last + 1)
