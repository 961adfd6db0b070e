"""What is asked for as instruments: GMM-style and IV-style, as objects or, from a file, as mappings
of their fields."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from analysis.estimators.core.names import nearest
from analysis.estimators.core.options import GmmEquation, checked
from analysis.estimators.gmm.terms import Term, TermSpec, expand


@dataclass(frozen=True)
class GMM:
    """GMM-style instruments: lags of variables, a column for each lag and period (or for each lag,
    collapsed).

    Attributes
    ----------
    variables : terms, such as "L.n" or ["n", "w"]
    lags : shortest and longest lag of them, None for as long as the panel reaches: (1, None),
        "2...", "1 3", 2 (that lag alone). In the transformed equation the variables are used in
        levels at these lags. In the level equation of a system their first differences are used at
        the shortest lag less one (with equation="both"), or at all these lags (with
        equation="level").
    equation : "both", "difference" (the transformed equation), or "level"
    collapse : one column a lag, not one a lag and period
    passthrough : with equation="level", the variables themselves instead of their differences
    orthogonal : in the transformed equation, backward deviations from the mean of earlier periods
        instead of levels
    split : with equation="both", test the two equations' instruments as two groups
    name : group under which difference-in-Hansen tests them; specs of one name are tested together
    """

    variables: TermSpec | Sequence[TermSpec]
    lags: int | str | tuple[int, int | None] = (1, None)
    equation: GmmEquation = "both"
    collapse: bool = False
    passthrough: bool = False
    orthogonal: bool = False
    split: bool = False
    name: str | None = None


@dataclass(frozen=True)
class IV:
    """IV-style instruments: each variable is one column.

    Attributes
    ----------
    variables : terms; they need not be regressors (external instruments)
    equation : "both" (transformed in the transformed equation, as they are in the level equation),
        "difference", or "level"
    passthrough : in the transformed equation, use them as they are; not with equation="both" in a
        system
    zero_missing : a missing value becomes zero; without this the row is left out
    name : group under which difference-in-Hansen tests them
    """

    variables: TermSpec | Sequence[TermSpec]
    equation: GmmEquation = "both"
    passthrough: bool = False
    zero_missing: bool = False
    name: str | None = None


def lag_limits(lags: int | str | tuple[int, int | None]) -> tuple[int, int | None]:
    """Shortest and longest lag, None for no limit, from any of the forms that GMM takes."""
    low: int | None
    high: int | None
    if isinstance(lags, str):
        found = re.fullmatch(
            r"\s*(-?\d+)\s*(?:(\.\.\.?|…)|(?:[\s/:,]+|\.\.\.?|…)\s*(-?\d+|\.))?\s*", lags
        )
        if not found:
            raise ValueError(
                f"lags = {lags!r} cannot be read. Write (1, None), '2...', '1 3', or 2."
            )
        low = int(found[1])
        high = None if found[2] or found[3] == "." else int(found[3] or found[1])
    elif isinstance(lags, int):
        low = high = lags
    else:
        pair = isinstance(lags, (tuple, list)) and len(lags) == 2
        if not pair or not isinstance(lags[0], int) or not isinstance(lags[1], int | None):
            raise ValueError(
                f"lags = {lags!r}: they are a pair of whole numbers, the second None for no limit,"
                " such as (2, None)."
            )
        low, high = lags
    return (high, low) if high is not None and high < low else (low, high)


Spec = TypeVar("Spec", GMM, IV)
# One spec with its terms and the label of its group.
Asked = tuple[Spec, tuple[Term, ...], str]


def asked_for(
    given: Any, kind: type[Spec], columns: Collection[str], system: bool
) -> tuple[Asked[Spec], ...]:
    """The instruments given, one or several, as objects or mappings of their fields, with their
    terms and labels.

    Raises
    ------
    ValueError : something that is neither, an unknown field, or an equation that there is not.
    """
    listed: Iterable[Any] = [given] if isinstance(given, (kind, Mapping)) else given
    found = []
    for one in listed:
        spec = _read(one, kind)
        _check(spec, system)
        terms = expand(spec.variables, columns)
        found.append((spec, terms, group_label(spec, [term.label for term in terms])))
    return tuple(found)


def _read(given: Any, kind: type[Spec]) -> Spec:
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        raise ValueError(
            f"{given!r} is not an instrument. Give {kind.__name__}(...) or a mapping of its fields."
        )
    known = [field.name for field in fields(kind)]
    for name in given:
        if name not in known:
            raise ValueError(f"{kind.__name__} has no field {name!r}. {nearest(name, known)}")
    if "variables" not in given:
        raise ValueError(f"{kind.__name__} needs variables; given: {dict(given)}.")
    values: dict[str, Any] = {
        str(name): tuple(value) if name == "lags" and isinstance(value, list) else value
        for name, value in given.items()
    }
    return kind(**values)


def _check(spec: GMM | IV, system: bool) -> None:
    checked(f"{spec}: equation", spec.equation, GmmEquation)
    for field in fields(spec):
        if isinstance(field.default, bool):
            checked(f"{spec}: {field.name}", getattr(spec, field.name), (True, False))
    if spec.equation == "level" and not system:
        raise ValueError(
            f"{spec}: difference GMM has no level equation. Use equations='system', or leave these"
            " instruments out."
        )
    if spec.passthrough and spec.equation == "both" and system:
        raise ValueError(f"{spec}: passthrough needs equation='difference' or 'level' in a system.")
    if isinstance(spec, GMM):
        lag_limits(spec.lags)


def group_label(spec: GMM | IV, names: Sequence[str]) -> str:
    """What a group of instruments is called where the user gave it no name: 'GMM(L1.n, lags 1...)',
    'IV(w, k; level)'."""
    if spec.name is not None:
        return spec.name
    options: list[str] = []
    if isinstance(spec, GMM):
        low, high = lag_limits(spec.lags)
        options.append(
            f"lags {low}{'...' if high is None else f' to {high}' if high != low else ''}"
        )
        options += [
            word
            for word, on in (("collapsed", spec.collapse), ("backward deviations", spec.orthogonal))
            if on
        ]
    options += [spec.equation] if spec.equation != "both" else []
    options += ["as they are"] if spec.passthrough else []
    options += ["missing as zero"] if isinstance(spec, IV) and spec.zero_missing else []
    kind = "GMM" if isinstance(spec, GMM) else "IV"
    return f"{kind}({', '.join(names)}{'; ' if options else ''}{', '.join(options)})"
