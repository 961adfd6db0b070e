"""What a value must be to be an option: asked of the hints in a signature, so that a number that
stands in a file as text is refused by name before anything is computed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np
import pandas as pd

WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    object: "anything",
}


def literals(hint: Any) -> tuple[Any, ...]:
    """The values that the Literals in a hint allow, whatever stands beside them."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(value for part in _alternatives(hint) for value in literals(part))


def choices(hint: Any) -> tuple[Any, ...]:
    """The same, where nothing but Literals and None is allowed; otherwise none."""
    parts = [part for part in _alternatives(hint) or (hint,) if part is not NoneType]
    closed = parts and all(get_origin(part) is Literal for part in parts)
    return literals(hint) if closed else ()


def accepts(hint: Any, value: Any) -> bool:
    """Whether a value is what a hint says: all of it for lists, keys and values for mappings."""
    origin, inside = get_origin(hint), get_args(hint)
    if hint is Any or hint is object:
        return True
    if hint is None or hint is NoneType:
        return value is None
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in inside)
    if _alternatives(hint):
        return any(accepts(part, value) for part in inside)
    if origin is tuple or (isinstance(origin, type) and issubclass(origin, Iterable)):
        return _holds(origin, inside, value)
    return _is(hint, value)


def words(hint: Any) -> str:
    """The hint as people say it: "a number", "a list of text", "'logit' or 'probit'"."""
    origin, inside = get_origin(hint), get_args(hint)
    if _alternatives(hint):
        said = [words(part) for part in inside if part is not NoneType]
        return " or ".join(dict.fromkeys(said))
    if origin is Literal:
        return " or ".join(repr(value) for value in inside)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return "a mapping"
    if origin is not None:
        parts = dict.fromkeys(words(part) for part in inside if part is not Ellipsis)
        return f"a list of {' or '.join(part.removeprefix('a ') for part in parts)}"
    return WORDS.get(hint, getattr(hint, "__name__", str(hint)))


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else ()


def _holds(kind: type, inside: tuple[Any, ...], value: Any) -> bool:
    """Whether a value is a mapping or a list of what the hint says."""
    if issubclass(kind, Mapping):
        return isinstance(value, Mapping) and all(
            accepts(inside[0], key) and accepts(inside[1], one) for key, one in value.items()
        )
    if not isinstance(value, (Sequence, np.ndarray, pd.Index, pd.Series)):
        return False
    if kind is tuple and Ellipsis not in inside:
        return len(value) == len(inside) and all(map(accepts, inside, value))
    return all(accepts(inside[0], one) for one in value)


def _is(kind: Any, value: Any) -> bool:
    """A plain type; a whole number is a number, and true and false are neither."""
    if kind is bool or isinstance(value, (bool, np.bool_)):
        return kind in (bool, Hashable) and isinstance(value, (bool, np.bool_))
    if kind is int:
        return isinstance(value, (int, np.integer))
    if kind is float:
        return isinstance(value, (int, float, np.integer, np.floating))
    if not isinstance(kind, type):
        return True  # a hint that has no class of its own: whoever is called judges
    return isinstance(value, kind)
