"""Sizes of memory as a configuration writes them, such as "2g" or "500MB"."""

from __future__ import annotations

import re

from warehouse.errors import ConfigError

SIZE = re.compile(r"([1-9]\d*) ?(m|g)b?", re.IGNORECASE)
BYTES = {"m": 1_000_000, "g": 1_000_000_000}
LEAST = "256MB"  # a sort of few rows takes a block or two a column and thread


def bytes_of(size: str) -> int:
    found = SIZE.fullmatch(size)
    if found is None:
        raise ValueError(f"{size!r} is not such as 500MB")
    return int(found[1]) * BYTES[found[2].lower()]


def parse_memory(where: str, given: object) -> str | None:
    """The limit as DuckDB takes it, in MB; None where none is set.

    Raises
    ------
    ConfigError : no size, or one that no release could be built in.
    """
    if given is None:
        return None
    if not isinstance(given, str) or SIZE.fullmatch(given) is None:
        raise ConfigError(f'{where}: memory = {given!r} is no size. Write for example "2g".')
    if bytes_of(given) < bytes_of(LEAST):
        raise ConfigError(
            f"{where}: memory = {given!r} is too little to build a release in. Allow {LEAST} or"
            " more."
        )
    return f"{bytes_of(given) // BYTES['m']}MB"
