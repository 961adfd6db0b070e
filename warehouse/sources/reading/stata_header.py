"""What a Stata file says of itself in its head, held against the file."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from warehouse.errors import SourceError
from warehouse.sources.reading.rawfile import RawFile

OLD_RELEASES = {102, 103, 104, 105, 108, 110, 111, 113, 114, 115}
MARK = b"<stata_dta>"
FIRST_UTF8_RELEASE = 118
FILLING = b"\x00\x1a\r\n "  # what transfers leave behind a file's end
MAX_VARIABLES = 5_000
STRL = 32_768
WIDTHS = {
    STRL: 8,
    65_526: 8,
    65_527: 4,
    65_528: 4,
    65_529: 2,
    65_530: 1,
}  # bytes by type since format 117; up to 2045 the type is the width
OLD_WIDTHS = {251: 1, 252: 2, 253: 4, 254: 4, 255: 8}
OLDEST_WIDTHS = {ord(letter): width for letter, width in zip("bilfd", (1, 2, 4, 4, 8), strict=True)}
START = re.compile(
    (
        rb"<stata_dta><header><release>(\d{3})</release><byteorder>(MSF|LSF)</byteorder><K>(.{2,"
        rb"4})</K><N>(.{4,8})</N>"
    ),
    re.DOTALL,
)


@dataclass(frozen=True)
class StataHeader:
    """rows_at : where the first row begins, in formats that say so"""

    types: tuple[int, ...]
    rows_n: int
    row_bytes: int
    rows_at: int | None


def stata_release(raw: RawFile) -> int | None:
    """The number of a Stata file's format, or None for another kind of file."""
    head = raw.head
    if head.startswith(MARK):
        found = re.match(rb"<stata_dta><header><release>(\d{3})</release>", head)
        return int(found[1]) if found else FIRST_UTF8_RELEASE
    is_old = (
        len(head) > 4 and head[0] in OLD_RELEASES and head[1] in (0, 1, 2) and head[2] in (0, 1)
    )
    return head[0] if is_old else None


def damaged(raw: RawFile, problem: str) -> SourceError:
    """The error of a file that does not hold what it says."""
    return SourceError(
        raw.name,
        "",
        f"cannot be read as a Stata file ({problem}): it is cut off or damaged",
        "Fetch the file again, or save it with Stata",
    )


def stata_header(raw: RawFile) -> StataHeader:
    """What a file says of itself, if the file can hold it."""
    try:
        header = _new_header(raw) if raw.head.startswith(MARK) else _old_header(raw)
    except (struct.error, ValueError) as error:
        raise damaged(raw, f"its header makes no sense: {error}") from error
    size = raw.path.stat().st_size
    if not header.types:
        raise damaged(raw, "it has no variables")
    if header.rows_n * max(header.row_bytes, len(header.types)) > size:
        raise damaged(
            raw,
            f"its header claims {header.rows_n:,} rows of {len(header.types):,} variables, which"
            f" {size:,} bytes cannot hold",
        )
    if header.rows_at is not None:
        with raw.path.open("rb") as handle:
            handle.seek(header.rows_at + header.rows_n * header.row_bytes)
            if handle.read(7) != b"</data>":
                raise damaged(raw, f"its rows do not end where {header.rows_n:,} of them should")
    return header


def _refuse_variables(raw: RawFile, variables_n: int) -> None:
    if variables_n > MAX_VARIABLES:
        raise SourceError(
            raw.name,
            "",
            f"claims {variables_n:,} variables, more than the {MAX_VARIABLES:,} allowed",
            "Keep those that are needed, in Stata",
        )


def _old_header(raw: RawFile) -> StataHeader:
    release, order = raw.head[0], ">" if raw.head[1] == 1 else "<"
    variables_n, rows_n = struct.unpack_from(
        order + ("HI" if release >= 103 else "HH"), raw.head, 4
    )
    _refuse_variables(raw, variables_n)
    at = (8 if release < 103 else 10) + (81 if release > 105 else 32) + (18 if release > 104 else 0)
    types = tuple(raw.head[at : at + variables_n])
    if len(types) < variables_n:
        raise damaged(raw, "it ends within its header")
    if release >= 111:
        widths = [OLD_WIDTHS.get(kind, kind) for kind in types]
    else:
        widths = [
            OLDEST_WIDTHS[kind] if kind in OLDEST_WIDTHS else max(0, kind - 127) for kind in types
        ]
    return StataHeader(types, rows_n, sum(widths), None)


def _new_header(raw: RawFile) -> StataHeader:
    found = START.match(raw.head)
    if found is None:
        raise damaged(raw, "its header makes no sense")
    order = ">" if found[2] == b"MSF" else "<"
    variables_n = struct.unpack(order + ("H" if len(found[3]) == 2 else "I"), found[3])[0]
    rows_n = struct.unpack(order + ("I" if len(found[4]) == 4 else "Q"), found[4])[0]
    _refuse_variables(raw, variables_n)
    places = struct.unpack_from(f"{order}14q", raw.head, raw.head.index(b"<map>", found.end()) + 5)
    at = raw.head.index(b"<variable_types>", found.end()) + 16
    types = struct.unpack_from(f"{order}{variables_n}H", raw.head, at)
    size = raw.path.stat().st_size
    if any(not 0 <= place <= size for place in places):
        raise damaged(raw, "its list of parts leads out of it")
    with raw.path.open("rb") as handle:
        handle.seek(places[13])
        if places[13] and handle.read(64).strip(FILLING):
            raise damaged(raw, f"it goes on for {size - places[13]:,} bytes after its end")
    return StataHeader(types, rows_n, sum(WIDTHS.get(kind, kind) for kind in types), places[9] + 6)
