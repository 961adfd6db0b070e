"""Names that every family shares, and what to say of one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

CONSTANT = "constant"  # the term of the constant: no column may be called so
SHOWN = 12


def nearest(name: object, known: Iterable[str]) -> str:
    """A sentence that helps whoever wrote a name that is not known: the nearest ones, or the first
    of those there are.
    """
    there = [str(other) for other in known]
    near = difflib.get_close_matches(str(name), there, n=3)
    if near:
        return f"Nearest: {', '.join(near)}."
    return f"There are {', '.join(there[:SHOWN])}{' and others' if len(there) > SHOWN else ''}."


def listed(names: Sequence[str]) -> str:
    """'city_code', 'city_code and year', 'firm, city_code and year'."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
