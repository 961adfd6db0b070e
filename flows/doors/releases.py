"""`citytrade diff` and `citytrade rollback`: what changed between releases, told in few lines, and
the way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.processes import lock
from flows.telling.printing import table
from warehouse.errors import ReleaseError
from warehouse.releases.publish import current_release, make_current, named_release
from warehouse.releases.seal import broken_seals
from warehouse.settings.config import Config

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5
NAMES = ("panel", "change", "column", "cells", "cities", "years", "largest relative change")


def diff_text(frame: pd.DataFrame, limit: int) -> str:
    """A comparison of two releases as a table, one line a panel, change and column."""
    if frame.empty:
        return (
            f"{frame.attrs['old']} and {frame.attrs['new']} have the same panels, rows and values."
        )
    rows = summarised(frame)
    more = (
        f"\n{len(rows) - limit:,} more lines of {len(rows):,}; --limit N shows more."
        if len(rows) > limit
        else ""
    )
    return (
        f"From {frame.attrs['old']} to {frame.attrs['new']}:\n\n"
        + table(NAMES, rows[:limit], right=NAMES[3:5])
        + more
    )


def summarised(frame: pd.DataFrame) -> list[list[object]]:
    """One row a panel, change and column, as in NAMES."""
    rows: list[list[object]] = []
    for (panel, change, column), part in frame.groupby(
        ["panel", "change", "column_name"], dropna=False, sort=False
    ):
        years = part["year"].dropna()
        span = (
            ""
            if years.empty
            else (
                f"{int(years.min())}"
                if years.nunique() == 1
                else f"{int(years.min())}-{int(years.max())}"
            )
        )
        largest = part["largest_relative_change"].max()
        cities = int(part["city_code"].nunique())
        rows.append(
            [
                panel,
                str(change).replace("_", " "),
                column if isinstance(column, str) else "",
                f"{int(part['cells_n'].sum()):,}",
                cities or "",
                span,
                largest,
            ]
        )
    return rows


def roll_back(config: Config, wanted: str) -> tuple[str, str]:
    """Make another release on disk the current one; returns the release left and the one that
    readers get now.

    Raises
    ------
    ReleaseError : no such release, the current one, one that was changed after its publication,
        or a refresh is running.
    """
    with lock.hold(config.home):
        left, target = current_release(config.home), named_release(config.home, wanted)
        if left is None or left == target:
            raise ReleaseError(f"Release {target} is the current one already.")
        if broken := broken_seals(config.builds / target):
            raise ReleaseError(
                f"Release {target} was changed after its publication ({'; '.join(broken[:SHOWN])})."
                f" Run `citytrade rebuild {target}`, and roll back then."
            )
        make_current(config.home, target)
    return left, target
