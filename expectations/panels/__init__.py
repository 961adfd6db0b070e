"""Suites of panels, made from the dictionary: key, years, rows, and each column's bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from expectations.checks import Check, Suite
from warehouse.dictionary.entries import ColumnEntry

MAIN_PANEL = "city_year"


def panel_suite(
    panel: str,
    grain: Iterable[str],
    columns: Mapping[str, str],
    dictionary: Mapping[str, ColumnEntry],
    years: tuple[int, int],
    is_complete: bool = True,
) -> Suite:
    """The suite of one panel.

    Parameters
    ----------
    grain : the columns that name a row
    columns : column -> DuckDB type, as the built panel has them
    years : the first and last year that the configuration asks for
    is_complete : whether every source has rows of these years; where one has none, an empty panel is a warning

    The other panels stand for studies of certain years, so that one is rightly empty where other years are asked for.
    """
    keys = tuple(grain)
    checks = [
        Check("rows", minimum=1, severity="critical" if is_complete and panel == MAIN_PANEL else "warning"),
        Check("unique", keys),
        *(Check("not_null", (key,)) for key in keys),
    ]
    if "year" in columns:
        checks.append(Check("between", ("year",), *years))
    for column, kind in columns.items():
        entry = dictionary.get(column)
        bounded = entry is not None and (entry.minimum is not None or entry.maximum is not None)
        if entry is not None and bounded and column != "year" and not kind.startswith(("VARCHAR", "BOOLEAN", "DATE")):
            checks.append(Check("between", (column,), entry.minimum, entry.maximum))
    return Suite(f"panels.{panel}", panel, tuple(checks), keys)
