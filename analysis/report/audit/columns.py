"""Rules about columns and tables: numbers of rows, repeated columns, identities."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from scipy import stats

from analysis.report.audit.cells import ratio_range
from analysis.report.audit.findings import Finding
from analysis.report.audit.numbers import (
    ADJUSTED,
    CHANGED,
    COUNT,
    F_TEST,
    INSTRUMENT,
    LAGGED,
    SHARE,
    UNITS,
    Number,
    PrintedColumn,
    PrintedPaper,
    PrintedTable,
    pairs,
)

TIMES = 20  # a coefficient so many times the others of its row
CLOSE = 1.02  # numbers of rows of one sample
HALF = 0.5  # a coefficient that has lost a digit is less than so much of the other


def rows_of_units(paper: PrintedPaper) -> Iterator[Finding]:
    """More rows than units times years, a year less where a lag stands in the column; more units
    than rows; a count that is no whole number.
    """
    for table in paper.regressions:
        for column in table.columns:
            count, units = column.count, next(iter(column.of(UNITS)), None)
            if count is not None and count.value != round(count.value):
                said = f"{count.printed} rows: no whole number."
                yield Finding("rows", count.place, said, "certain", "inconsistent")
            if count is None or units is None:
                continue
            if units.value > count.value:
                said = f"{units.printed} units have only {count.printed} rows."
                yield Finding("rows", column.place, said, "certain", "inconsistent")
            elif paper.years is not None:
                yield from _too_many(column, count, units, paper.years)


def _too_many(
    column: PrintedColumn, count: Number, units: Number, years: tuple[int, int]
) -> Iterator[Finding]:
    lag = any(LAGGED.match(row) for row in column.terms)
    periods = years[1] - years[0] + 1 - lag
    if count.value > units.value * periods:
        said = (
            f"{count.printed} rows, but {units.printed} units times {periods} years"
            f"{' (one is lost to the lag)' if lag else ''} are {units.value * periods:,.0f}."
        )
        found = Finding("rows", column.place, said, "certain", "inconsistent")
        yield replace(found, certainty="likely") if lag else found


def parts_of_a_whole(paper: PrintedPaper) -> Iterator[Finding]:
    """Neighbouring columns of a table whose other neighbours add up to a whole, and that are more
    than it.
    """
    counts = [n.value for table in paper.regressions for n in table.numbers if COUNT.search(n.row)]
    for table in paper.regressions:
        found = list(_split(table))
        wholes = [total for _, _, total, _ in found if total in counts]
        for one, other, total, alike in found:
            if wholes and alike and total > max(counts):
                said = (
                    f"{one.printed} + {other.printed} = {total:,.0f}, more than the"
                    f" {max(counts):,.0f} rows of the largest column; other parts of this table add"
                    f" up to {wholes[0]:,.0f}."
                )
                place = f"table {table.name} ({one.column}), ({other.column})"
                yield Finding("parts", place, said, "likely", "inconsistent")


def _split(table: PrintedTable) -> Iterator[tuple[Number, Number, float, bool]]:
    """Counts of the first and second column, the third and fourth, ..., their sum, and whether the
    two have the same terms.
    """
    for one, other in zip(table.columns[::2], table.columns[1::2], strict=False):
        a, b = one.count, other.count
        if a and b and a.value != b.value:
            yield a, b, a.value + b.value, set(one.terms) == set(other.terms)


def rows_the_wrong_way(paper: PrintedPaper) -> Iterator[Finding]:
    """A column with all terms of its neighbour and more, and a few more rows; a lag or a change
    with more rows than what it is a lag or a change of.
    """
    for table in paper.regressions:
        for first, second in pairwise(table.columns):
            yield from _nested(first, second)
            yield from _nested(second, first)
        for column in table.columns:
            yield from _derived(table, column)


def _nested(less: PrintedColumn, more: PrintedColumn) -> Iterator[Finding]:
    a, b = less.count, more.count
    added = set(more.terms) - set(less.terms)
    if (
        a is None
        or b is None
        or not less.terms
        or not added
        or not set(less.terms) < set(more.terms)
    ):
        return
    if a.value < b.value < CLOSE * a.value:  # further apart they are other samples
        said = f"{more.place} adds {', '.join(sorted(added))} and has {b.printed} rows, not fewer"
        said += f" than the {a.printed} of {less.place}."
        yield Finding("rows added", more.place, said, "possible", "inconsistent")


def _derived(table: PrintedTable, derived: PrintedColumn) -> Iterator[Finding]:
    count = derived.count
    for row in derived.terms:
        found = CHANGED.match(row) or LAGGED.match(row)
        bases = [base for base in found.groups() if base] if found else []
        levels = [
            column.count
            for column in table.columns
            if bases and bases[0] in column.terms and column.count is not None
        ]
        if count is None or not levels or bases[0] in derived.terms:
            continue
        most = max(levels, key=lambda n: n.value)
        if count.value > most.value:
            said = f"{row} loses a year, yet has {count.printed} rows where {bases[0]} has"
            yield Finding(
                "rows added",
                derived.place,
                f"{said} {most.printed}.",
                "likely",
                "inconsistent",
            )


def shares_that_fall(paper: PrintedPaper) -> Iterator[Finding]:
    """An unadjusted R2 that falls when a term is added to the same rows."""
    for table in paper.regressions:
        for less, more in pairs(table.columns):
            a, b = less.count, more.count
            nested = less.terms and set(less.terms) < set(more.terms)
            if a is None or b is None or a.value != b.value or not nested:
                continue
            for one in less.of(SHARE):
                other = next((n for n in more.numbers if n.row == one.row), None)
                if other is None or ADJUSTED.search(one.row):
                    continue
                if other.value + other.half < one.value - one.half:
                    said = f"R2 falls from {one.printed} to {other.printed} with a term added."
                    yield Finding("R2 falls", other.place, said, "possible", "inconsistent")


def repeated_columns(paper: PrintedPaper) -> Iterator[Finding]:
    """Two columns of different tables that agree in every term, count and share that both print,
    and two that agree but for coefficients over the same brackets (a digit lost).
    """
    columns = [column for table in paper.regressions for column in table.columns]
    for first, second in pairs(columns):
        if first.table == second.table:
            continue
        ours, theirs = ({n.row: n for n in c.numbers} for c in (first, second))
        shared = [(ours[row], theirs[row]) for row in ours if row in theirs]
        terms = [(a, b) for a, b in shared if a.printed_bracket]
        same = [(a, b) for a, b in terms if a.shown == b.shown]
        yield from _lost_digits(second, terms, same)
        whole = [(a, b) for a, b in shared if not a.printed_bracket]
        agree = all(a.printed == b.printed for a, b in whole)
        if terms and len(same) == len(terms) and agree and _share(whole):
            said = (
                f"{second.place} prints what {first.place} prints in"
                f" {', '.join(a.row for a, _ in shared)}."
            )
            yield Finding("repeated", second.place, said, "possible", "inconsistent")


def _share(whole: Sequence[tuple[Number, Number]]) -> bool:
    return any(SHARE.search(a.row) for a, _ in whole)


def _lost_digits(
    column: PrintedColumn,
    terms: Sequence[tuple[Number, Number]],
    same: Sequence[tuple[Number, Number]],
) -> Iterator[Finding]:
    for a, b in terms:
        brackets = a.bracket is not None and b.bracket is not None
        if not brackets or abs(a.bracket or 0) != abs(b.bracket or 0) or a.value == b.value:
            continue
        small, large = sorted((abs(a.value), abs(b.value)))
        if same and len(a.printed_bracket.lstrip("-")) >= 5 and small < HALF * large:
            said = f"{b.shown} beside {a.shown} of {a.place}: one bracket, two coefficients."
            yield Finding("digit lost", b.place, said, "likely", "inconsistent").doubted(b.doubtful)


def repeated_shares(paper: PrintedPaper) -> Iterator[Finding]:
    """Two tables with the same R2 in four columns or more, whose coefficients differ."""
    for at, first in enumerate(paper.regressions):
        for second in paper.regressions[at + 1 :]:
            ours, theirs = (_shares(table) for table in (first, second))
            same = [name for name in ours if ours[name] == theirs.get(name)]
            if len(same) >= 4 and not _same_terms(first, second):
                said = (
                    f"R2 of columns {', '.join(same)} is that of table {first.name}"
                    f" ({', '.join(ours[name] for name in same)}), the coefficients are not."
                )
                place = f"table {second.name}"
                yield Finding("repeated R2", place, said, "likely", "inconsistent")


def _shares(table: PrintedTable) -> dict[str, str]:
    return {c.name: n.printed for c in table.columns for n in c.of(SHARE)}


def _same_terms(first: PrintedTable, second: PrintedTable) -> bool:
    a, b = ({(n.column, n.shown) for c in t.columns for n in c.terms.values()} for t in
            (first, second))  # fmt: skip
    return len(a & b) > len(b) / 2


def outlying_coefficient(paper: PrintedPaper) -> Iterator[Finding]:
    """A coefficient many times those of its row, of which one deviation of the regressor moves the
    outcome (the first row of the descriptive table) by more than its whole range.
    """
    described = next(
        (t for t in paper.tables if {"sd", "minimum", "maximum"} <= set(t.heads)), None
    )
    if described is None:
        return
    low, high, sd = ({n.row: n.value for n in described.heads[kind].numbers} for kind in
                     ("minimum", "maximum", "sd"))  # fmt: skip
    outcome = next(iter(low))
    reach = high.get(outcome, math.inf) - low[outcome]
    for table in paper.regressions:
        for row in dict.fromkeys(n.row for n in table.numbers if n.row in sd):
            here = [n for n in table.numbers if n.row == row]
            for n in here:
                others = sorted(abs(other.value) for other in here if other is not n)
                if len(others) < 2 or abs(n.value) < TIMES * others[len(others) // 2]:
                    continue
                if abs(n.value) * sd[row] > reach:
                    said = (
                        f"{n.printed} x sd {sd[row]:g} = {n.value * sd[row]:.3g}, more than the"
                        f" whole range {reach:g} of {outcome}."
                    )
                    found = Finding("too large", n.place, said, "likely", "changes the conclusion")
                    yield found.doubted(n.doubtful)


def first_stage(paper: PrintedPaper) -> Iterator[Finding]:
    """With one instrument the first stage's F is the square of its t."""
    for table in paper.regressions:
        for column in table.columns:
            instruments = [n for n in column.numbers if INSTRUMENT.match(n.row)]
            tests = [n for n in column.numbers if F_TEST.search(n.row)]
            if len(instruments) != 1 or instruments[0].bracket is None or not tests:
                continue
            low, high = (value**2 for value in ratio_range(instruments[0]))
            if not any(low - n.half <= n.value <= high + n.half for n in tests):
                printed = ", ".join(n.printed for n in tests)
                said = (
                    f"t2 of {instruments[0].shown} is {low:.2f} to {high:.2f}; F printed {printed}."
                )
                yield Finding("first stage", column.place, said, "likely", "inconsistent")


def sobel(paper: PrintedPaper) -> Iterator[Finding]:
    """Sobel's test from the mediator's column before and the outcome's own: z = a b / sqrt(b2 sa2 +
    a2 sb2). What is printed should be z, its p, or a b.
    """
    for table in paper.regressions:
        for before, column in pairwise(table.columns):
            tests = [n for n in column.numbers if "sobel" in n.row.lower()]
            shared = [row for row in column.terms if row in before.terms]
            own = [row for row in column.terms if row not in before.terms]
            if not tests or len(shared) != 1 or len(own) != 1:
                continue
            a, b = before.terms[shared[0]], column.terms[own[0]]
            if a.kind != "se" or b.kind != "se" or not a.bracket or not b.bracket:
                continue
            z = a.value * b.value / math.hypot(b.value * a.bracket, a.value * b.bracket)
            p = 2 * float(stats.norm.sf(abs(z)))
            n = tests[0]
            fits = [
                abs(n.value - x) <= max(0.02 * abs(x), n.half) for x in (z, p, a.value * b.value)
            ]
            if not any(fits) or (n.stars and p > 0.1):
                said = (
                    f"{a.shown} and {b.shown}: z = {z:.3f}, p = {p:.3f}, a b ="
                    f" {a.value * b.value:.4f}; printed {n.shown}."
                )
                yield Finding("Sobel", n.place, said, "likely", "changes the conclusion")
