"""Finding the heads that a user's configuration names."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from warehouse.errors import SourceError
from warehouse.sources.reading.base import RawFile
from warehouse.sources.yearbook.cells import (
    is_blank,
)
from warehouse.sources.yearbook.parsing import normal_head
from warehouse.sources.yearbook.tables import Table

HEAD_WITHIN = 10


def head_row(raw: RawFile, table: Table, wanted: Sequence[str]) -> tuple[int, list[str]]:
    """The first row that has all the heads wanted, with its heads as compared.

    Raises
    ------
    SourceError : no row has them; the heads missing from the likeliest row are named, with those
        like them.
    """
    best: tuple[int, list[str]] = (0, [])
    for at, row in enumerate(table.rows[:HEAD_WITHIN]):
        heads = ["" if is_blank(cell) else same_head(cell) for cell in row]
        if all(same_head(head) in heads for head in wanted):
            return at, heads
        if sum(same_head(head) in heads for head in wanted) >= sum(
            same_head(head) in best[1] for head in wanted
        ) and any(heads):
            best = (
                at,
                heads if len([head for head in heads if head]) > 1 or not best[1] else best[1],
            )
    absent = [head for head in wanted if same_head(head) not in best[1]]
    near = {
        match
        for head in absent
        for match in difflib.get_close_matches(same_head(head), best[1], n=2, cutoff=0.5)
    }
    hint = f"; like it: {', '.join(sorted(near))}" if near else ""
    found = ", ".join(head for head in best[1][:12] if head) or "none"
    problem = (
        f"column {', '.join(absent)} is missing, which the configuration names; columns found:"
        f" {found}{hint}"
    )
    raise SourceError(
        raw.name,
        table.place(best[0] + 1),
        problem,
        "Write the heads in the configuration as they stand in the file",
    )


NOT_NAMED = "the configuration does not name it"


def same_head(head: object) -> str:
    return normal_head(head).lower()
