"""Suites of panels, made from the dictionary: key, years, rows, and each column's bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from expectations.checks import Check, Severity, Suite
from warehouse.dictionary.entries import ColumnEntry

MAIN_PANEL = "city_year"
# What the models make holds its bounds by construction (an index scaled to 0-1), and a sum or count
# of what cannot be
# negative is not negative; an index of these sources is their publisher's own number.
PROMISED = frozenset({"key", "dummy", "index"})
DELIVERED = frozenset({"digital_finance__cities", "innovation__cities", "marketisation__provinces"})


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
    is_complete : whether every source has rows of these years; where one has none, an empty panel
        is a warning

    The other panels stand for studies of certain years, so that one is rightly empty where other
    years are asked for.
    """
    keys = tuple(grain)
    checks = [
        Check(
            "rows",
            minimum=1,
            severity="critical" if is_complete and panel == MAIN_PANEL else "warning",
        ),
        Check("unique", keys),
        *(Check("not_null", (key,)) for key in keys),
    ]
    if "year" in columns:
        checks.append(Check("between", ("year",), *years))
    for column, kind in columns.items():
        entry = dictionary.get(column)
        bounded = entry is not None and (entry.minimum is not None or entry.maximum is not None)
        if (
            entry is not None
            and bounded
            and column != "year"
            and not kind.startswith(("VARCHAR", "BOOLEAN", "DATE"))
        ):
            checks.append(
                Check("between", (column,), entry.minimum, entry.maximum, severity=_severity(entry))
            )
    return Suite(f"panels.{panel}", panel, tuple(checks), keys)


def _severity(entry: ColumnEntry) -> Severity:
    """Critical where only the models can break a bound; a warning where an odd value of a delivery
    can, as in a ratio of two.
    """
    is_promise = entry.kind in PROMISED and entry.source not in DELIVERED
    return "critical" if is_promise or (entry.minimum, entry.maximum) == (0, None) else "warning"
