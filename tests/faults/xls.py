"""Writes old workbooks (.xls, BIFF8 in a compound file), as no library at hand does any more:
values only, one sheet after the other.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

SECTOR = 512
FREE, END, IS_FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
Cells = Mapping[tuple[int, int], float | str]  # (row, column), both from 0


def xls_bytes(sheets: Mapping[str, Cells]) -> bytes:
    """A workbook with these sheets; texts of up to 2,000 characters."""
    return _compound(_workbook(sheets))


def cells_of(rows: Sequence[Sequence[object]]) -> dict[tuple[int, int], float | str]:
    """Cells from rows of values; blank ones are left out."""
    return {
        (at, column): cell
        for at, row in enumerate(rows)
        for column, cell in enumerate(row)
        if isinstance(cell, float | str) and cell != ""
    }


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _begin(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 1997, 0, 6))


def _workbook(sheets: Mapping[str, Cells]) -> bytes:
    parts = [_sheet(cells) for cells in sheets.values()]
    names = [name.encode("utf-16-le") for name in sheets]
    heads = _begin(0x0005) + _record(0x0042, struct.pack("<H", 1200))
    end = _record(0x000A, b"")
    at = len(heads) + sum(4 + 8 + len(name) for name in names) + len(end)
    for name, part in zip(names, parts, strict=True):
        heads += _record(0x0085, struct.pack("<IBBBB", at, 0, 0, len(name) // 2, 1) + name)
        at += len(part)
    return heads + end + b"".join(parts)


def _sheet(cells: Cells) -> bytes:
    rows, columns = (
        max((row for row, _ in cells), default=-1) + 1,
        max((column for _, column in cells), default=-1) + 1,
    )
    body = [_begin(0x0010), _record(0x0200, struct.pack("<IIHHH", 0, rows, 0, columns, 0))]
    for (row, column), cell in cells.items():
        place = struct.pack("<HHH", row, column, 0)
        if isinstance(cell, str):
            text = cell.encode("utf-16-le")
            body.append(_record(0x0204, place + struct.pack("<HB", len(text) // 2, 1) + text))
        else:
            body.append(_record(0x0203, place + struct.pack("<d", cell)))
    return b"".join([*body, _record(0x000A, b"")])


def _compound(stream: bytes) -> bytes:
    stream += bytes(
        -len(stream) % SECTOR + (4096 if len(stream) < 4096 else 0)
    )  # shorter streams are kept elsewhere
    stream_n = len(stream) // SECTOR
    fat_n = 1
    while fat_n * 128 < fat_n + 1 + stream_n:
        fat_n += 1
    first = fat_n + 1
    chain = [IS_FAT] * fat_n + [END] + [first + at + 1 for at in range(stream_n - 1)] + [END]
    chain += [FREE] * (fat_n * 128 - len(chain))
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    )
    header += struct.pack("<IIIIIIIII", 0, fat_n, fat_n, 0, 4096, END, 0, END, 0)
    header += struct.pack("<109I", *range(min(fat_n, 109)), *[FREE] * (109 - fat_n))
    folder = (
        _entry("Root Entry", 5, 1, END, 0)
        + _entry("Workbook", 2, FREE, first, len(stream))
        + bytes(2 * 128)
    )
    return header + struct.pack(f"<{len(chain)}I", *chain) + folder + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(text), kind, 1, FREE, FREE, child)
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )
