"""Writes Stata files of format 114 (Stata 10 and 11), as customs data were passed on: text in
GB18030 bytes, no marks of time.

Layout: https://www.loc.gov/preservation/digital/formats/fdd/fdd000471.shtml and Stata's own `help
dta` for that format.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES: dict[np.dtype[Any], tuple[int, str, float]] = {
    np.dtype("int8"): (251, "%8.0g", 101),
    np.dtype("int16"): (252, "%8.0g", 32_741),
    np.dtype("int32"): (253, "%12.0g", 2_147_483_621),
    np.dtype("float32"): (254, "%9.0g", float(2.0**127)),
}
_DOUBLE = (255, "%10.0g", float(2.0**1023))


def missing_values(table: NDArray[np.void]) -> dict[str, float]:
    """Stata's missing value for every numeric column of a table."""
    names = table.dtype.names or ()
    return {name: _kind(table.dtype[name])[2] for name in names if table.dtype[name].kind != "S"}


def write_stata(path: Path, table: NDArray[np.void], label: str) -> None:
    """Write a structured array (int8, int16, int32, float32, float64 or bytes columns) as a
    little-endian .dta of format 114.
    """
    names = table.dtype.names or ()
    kinds = [_kind(table.dtype[name]) for name in names]
    header = (
        struct.pack("<BBBBHi", 114, 2, 1, 0, len(names), len(table))
        + _padded(label, 81)
        + _padded("", 18)
    )
    descriptors = (
        bytes(kind[0] for kind in kinds)
        + b"".join(_padded(name, 33) for name in names)
        + bytes(2 * (len(names) + 1))
        + b"".join(_padded(kind[1], 49) for kind in kinds)
        + bytes(33 * len(names))
        + bytes(81 * len(names))
    )
    with path.open("wb") as sink:
        sink.write(header + descriptors + bytes(5))
        sink.write(table.tobytes())


def _kind(dtype: np.dtype[np.generic]) -> tuple[int, str, float]:
    """Type code, display format and missing value of a column."""
    if dtype.kind == "S":
        return dtype.itemsize, f"%{dtype.itemsize}s", 0.0
    return _DOUBLE if dtype == np.dtype("float64") else _TYPES[dtype]


def _padded(text: str, width: int) -> bytes:
    octets = text.encode("gb18030")
    if len(octets) >= width:
        raise ValueError(f"{text!r} takes {len(octets)} bytes, {width - 1} fit")
    return octets.ljust(width, b"\0")
