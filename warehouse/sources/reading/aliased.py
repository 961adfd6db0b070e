"""Small tables whose columns go by several names, as csv or workbook, read as text under the lake's
names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.headed import Cells, has_head, read_headed
from warehouse.sources.reading.stata_header import stata_release

Aliases = Mapping[
    str, Sequence[str]
]  # column of the lake -> heads that it goes by, the usual one first


@dataclass(frozen=True)
class Aliased:
    """A table's rows as text: a column a name of the aliases ("" where the table has none) and
    `line`.

    broken : rows with more cells than heads, ready to be set aside; rows_n counts them too
    there : the names that the table has
    """

    rows: pd.DataFrame
    broken: pd.DataFrame
    rows_n: int
    there: frozenset[str]


def found_in(heads: Sequence[str], aliases: Aliases) -> dict[str, int]:
    """Where each column stands: under the first of its names that is among the heads."""
    plain = [head.strip().lower() for head in heads]
    positions = {
        name: next((plain.index(alias) for alias in alternatives if alias in plain), None)
        for name, alternatives in aliases.items()
    }
    return {name: at for name, at in positions.items() if at is not None}


def has_aliased(raw: RawFile, aliases: Aliases, needed: Sequence[str]) -> bool:
    return stata_release(raw) is None and has_head(
        raw, lambda cells: set(needed) <= set(found_in(cells, aliases))
    )


def read_aliased(
    raw: RawFile, delivery: Delivery, aliases: Aliases, needed: Sequence[str]
) -> Aliased:
    """
    Raises
    ------
    SourceError : one of the names needed is missing, or one head stands twice.
    """

    def is_head(cells: Cells) -> bool:
        return set(needed) <= set(found_in(cells, aliases))

    rows: list[tuple[object, ...]] = []
    broken: list[tuple[int, str, str]] = []
    there: dict[str, int] = {}
    for piece in read_headed(raw, is_head):
        there = found_in(piece.heads, aliases)
        twice = next(
            (piece.heads[at] for at in there.values() if piece.heads.count(piece.heads[at]) > 1),
            None,
        )
        if twice is not None:
            raise SourceError(
                raw.name,
                piece.place,
                f"names the column {twice} twice",
                "Delete or rename one of the two",
            )
        delivery.heads(piece.sheet, piece.heads, {at: name for name, at in there.items()})
        for line, cells in piece.rows:
            if any(cells[len(piece.heads) :]):
                broken.append(
                    (line, "wrong_field_count", f"{len(cells)} values, {len(piece.heads)} expected")
                )
            else:
                rows.append(
                    (line, *(cells[there[name]] if name in there else "" for name in aliases))
                )
    frame = pd.DataFrame(rows, columns=["line", *aliases]).astype(dict.fromkeys(aliases, "object"))
    aside = pd.DataFrame(broken, columns=["line", "reason", "detail"]).astype({"line": "int64"})
    return Aliased(frame, aside, len(rows) + len(broken), frozenset(there))
