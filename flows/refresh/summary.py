"""What a refresh prints at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.refresh.finish import source_row
from flows.refresh.outcomes import is_empty_panel
from flows.telling.lines import SIMULATED
from flows.telling.printing import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from expectations import CheckResult
    from flows.refresh.flow import Refreshed
    from flows.refresh.outcomes import SourceOutcome

NAMES = ("source", "status", "files", "read", "accepted", "set aside", "years")
# What an indicator's problem means for the index that wants it.
PROBLEMS = {
    "all_missing": "missing everywhere, so it has no weight and what needs it is null",
    "all_equal": "one value in all rows, so it has no weight",
    "too_few": "too few rows to be used",
    "too_rare": "in too few years to decide a sample or to have a weight, and null otherwise",
    "ambiguous": "with several counterparts in a year, so that none was taken",
    "shared_text": "of several cities or years in the same words, so that none was taken",
    "not_positive": "zero or negative where a log is taken, so null there",
    "zero_denominator": "zero where it divides, so null there",
}
PROBLEMS_SHOWN = 4
UNREAD_SHOWN = 3
UNREAD_QUERY = "select * from meta.columns where indicator is null"
PLACES_CUSTOMS = ("concordance", "divisions", "postcodes")


def summary(done: Refreshed, seconds: float) -> str:
    """The table of sources, the counts of models and checks, every trouble, and the release."""
    from flows.refresh.flow import check_counts

    lines = ["", table(NAMES, [_row(outcome) for outcome in done.outcomes], right=NAMES[2:6]), ""]
    lines += _source_lines(done)
    lines += empty_lines(done.checks)
    lines += [
        f"warning: {check}"
        for check in done.checks
        if not check.success and not check.stops and not is_empty_panel(check)
    ]
    lines += problem_lines(done.problems)
    counts = check_counts(done.checks)
    failed = ", ".join(
        f"{counts[kind]} {kind}" for kind in ("warning", "critical", "error") if counts[kind]
    )
    lines.append(
        f"{done.models_n} models built, {done.tests_n} tests of models passed, {counts['passed']}"
        f" checks passed{f', {failed}' if failed else ''}."
    )
    if done.told:
        lines.append(f"{done.told[:1].upper()}{done.told[1:]}.")
    if done.manifest.choices:
        made = ", ".join(f"{name} = {value}" for name, value in done.manifest.choices.items())
        lines.append(f"Built with choices of its own: {made}.")
    if done.manifest.is_simulated:
        lines.append(SIMULATED)
    lines.append(f"Release {done.manifest.release} published in {seconds:.0f} s.")
    return "\n".join(lines)


def _source_lines(done: Refreshed) -> list[str]:
    """What there is to say of sources: trouble first, then messages, what was unread and unplaced,
    and what is absent.
    """
    lines = [
        f"{outcome.source} {outcome.status.upper()}: {outcome.message}"
        for outcome in done.outcomes
        if outcome.is_trouble
    ]
    lines += [
        f"{outcome.source}: {outcome.message}"
        for outcome in done.outcomes
        if outcome.message and not outcome.is_trouble
    ]
    lines += unread_lines(done.outcomes)
    lines += _unmet(done.outcomes)
    lines += done.fates
    absent = [outcome.source for outcome in done.outcomes if outcome.status == "not_configured"]
    if absent:
        lines.append(
            f"Not configured, so every column that needs them is null: {', '.join(absent)}."
        )
    return lines


def unread_lines(outcomes: Sequence[SourceOutcome]) -> list[str]:
    """One line a source: which columns of its files were not read; a head that many files have is
    counted once.
    """
    lines = []
    for outcome in outcomes:
        unread = dict.fromkeys(
            _named(row)
            for load in outcome.loads
            for row in load.column_rows
            if row["indicator"] is None
        )
        if unread:
            heads, count = list(unread), len(unread)
            more = f" and {count - UNREAD_SHOWN} more" if count > UNREAD_SHOWN else ""
            lines.append(
                f"{outcome.source}: {count} column{'' if count == 1 else 's'} unread:"
                f" {', '.join(heads[:UNREAD_SHOWN])}{more}"
            )
    return [*lines, f"  ({UNREAD_QUERY})"] if lines else []


def _named(column: Mapping[str, Any]) -> str:
    return (
        f"{column['head']} of sheet {column['sheet']}"
        if column["head"].startswith("(") and column["sheet"]
        else str(column["head"])
    )


def empty_lines(checks: Sequence[CheckResult]) -> list[str]:
    """One line for the panels that are empty for the same reason."""
    grouped: dict[str, list[str]] = {}
    for check in checks:
        if is_empty_panel(check):
            grouped.setdefault(check.observed, []).append(check.table_name)
    return [f"Without rows: {', '.join(panels)}: {reason}." for reason, panels in grouped.items()]


def problem_lines(problems: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line an index and problem: which indicators, how many rows, and what it means for the
    index.

    An index without any row is not told here: the sources that it lacks are. meta.problems has
    every line.
    """
    grouped: dict[tuple[str, str], list[str]] = {}
    for row in problems:
        if row["rows_n"]:
            grouped.setdefault((row["index_name"], row["problem"]), []).append(
                f"{row['indicator']} ({row['rows_n']:,} rows)"
            )
    return [
        f"index {index}: {_first(sorted(found))}: {PROBLEMS.get(problem, problem)}"
        for (index, problem), found in sorted(grouped.items())
    ]


def _first(found: Sequence[str]) -> str:
    """The first few of a list, and how many more there are."""
    more = (
        f" and {len(found) - PROBLEMS_SHOWN} more (from meta.problems)"
        if len(found) > PROBLEMS_SHOWN
        else ""
    )
    return ", ".join(found[:PROBLEMS_SHOWN]) + more


def _unmet(outcomes: Sequence[SourceOutcome]) -> list[str]:
    """What customs records cannot be placed without, if any of it is missing."""
    filled = {outcome.source for outcome in outcomes if outcome.loads}
    missing = [name for name in PLACES_CUSTOMS if name not in filled]
    if "customs" not in filled or not missing:
        return []
    sentence = (
        "customs needs concordance, divisions and postcodes: without them no record can be placed "
        "and trade columns are null"
    )
    return [f"{sentence} (missing: {', '.join(missing)})."]


def _row(outcome: SourceOutcome) -> list[str]:
    row = source_row(outcome)
    status = row["status"].replace("_", " ") + (", simulated" if row["is_simulated"] else "")
    if not outcome.loads:
        return [outcome.source, status, "", "", "", "", ""]
    years = f"{row['first_year']}-{row['last_year']}" if row["first_year"] is not None else ""
    return [
        outcome.source,
        status,
        *(f"{row[name]:,}" for name in ("files_n", "read_n", "accepted_n", "set_aside_n")),
        years,
    ]
