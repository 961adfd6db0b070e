"""Rules about one cell: stars and brackets, ranges, means and extremes."""

from __future__ import annotations

import math
from collections.abc import Iterator

from scipy import stats

from analysis.report.audit.findings import Finding, Weight
from analysis.report.audit.numbers import (
    ADJUSTED,
    F_TEST,
    P_VALUE,
    SHARE,
    TEST,
    Number,
    PrintedPaper,
    PrintedTable,
)

FEWEST_DF = 20  # stars are judged by t with any degrees of freedom from here to infinity
LEVELS = (0.1, 0.05, 0.01)
FAR = 8  # standard deviations below the mean


def stars_against_bracket(paper: PrintedPaper) -> Iterator[Finding]:
    """More or fewer stars than coefficient and bracket allow at 10, 5, 1 %, with any degrees of
    freedom from 20 on; a table that prints no star is left alone.
    """
    for table in paper.regressions:
        starred = any(number.stars for number in table.numbers)
        for number in table.numbers:
            if not starred or number.bracket is None:
                continue
            few, many = possible_stars(number)
            if few <= number.stars <= many:
                continue
            yield Finding(
                "stars",
                number.place,
                _stars_said(number, few, many),
                "certain",
                _stars_weight(number.stars, few, many),
            ).doubted(number.doubtful)


def possible_stars(number: Number) -> tuple[int, int]:
    """The fewest and the most stars that a coefficient and its bracket can have."""
    low, high = ratio_range(number)
    if number.kind == "p":
        return sum(high < level for level in LEVELS), sum(low < level for level in LEVELS)
    strict = [stats.t.isf(level / 2, FEWEST_DF) for level in LEVELS]
    loose = [stats.norm.isf(level / 2) for level in LEVELS]
    return sum(low >= limit for limit in strict), sum(high >= limit for limit in loose)


def ratio_range(number: Number) -> tuple[float, float]:
    """Least and largest |t| (or p) that the printed digits allow."""
    assert number.bracket is not None
    size, half = abs(number.bracket), number.bracket_half
    if number.kind != "se":
        return max(size - half, 0.0), size + half
    least = max(abs(number.value) - number.half, 0.0)
    most = abs(number.value) + number.half
    return least / (size + half), most / (size - half) if size > half else math.inf


def _stars_said(number: Number, few: int, many: int) -> str:
    low, high = ratio_range(number)
    what = "p" if number.kind == "p" else "|t|"
    size = f"{low:.3f} to {high:.3f}" if high - low > 0.001 else f"{(low + high) / 2:.3f}"
    of = f"{number.printed}/{number.printed_bracket}: " if number.kind == "se" else ""
    allowed = f"{few}" if few == many else f"{few} to {many}"
    return (
        f"{number.shown}: {of}{what} = {size} carries {allowed} stars, {number.stars} are printed."
    )


def _stars_weight(printed: int, few: int, many: int) -> Weight:
    crossed = (printed == 0) != (many == 0 if printed else few == 0)
    return "changes the conclusion" if crossed else "inconsistent"


def sign_of_bracket(paper: PrintedPaper) -> Iterator[Finding]:
    """A t of another sign than its coefficient, in a paper that prints signs of t."""
    if not paper.signed_t:
        return
    for table in paper.regressions:
        for n in table.numbers:
            if n.kind != "t" or n.bracket is None or n.stars < 0:
                continue
            if n.value * n.bracket < 0:
                said = f"{n.shown}: a t has the sign of its coefficient."
                yield Finding("sign", n.place, said, "certain", "inconsistent").doubted(n.doubtful)


def negative_error(paper: PrintedPaper) -> Iterator[Finding]:
    """A standard error or a p below zero, a p above one."""
    for table in paper.tables:
        for n in table.numbers:
            if n.bracket is None or n.kind == "t":
                continue
            if n.bracket < 0 or (n.kind == "p" and n.bracket > 1):
                name = "standard error" if n.kind == "se" else "p"
                said = f"{n.shown}: no {name} is {n.printed_bracket}."
                yield Finding("bracket range", n.place, said, "certain", "inconsistent")


def shares_and_probabilities(paper: PrintedPaper) -> Iterator[Finding]:
    """R2 above one, or below zero where nothing is instrumented; a p outside 0 to 1."""
    for table in paper.regressions:
        for column in table.columns:
            instrumented = any(F_TEST.search(n.row) or TEST.search(n.row) for n in column.numbers)
            for n in column.numbers:
                if SHARE.search(n.row) and n.value - n.half > 1:
                    said = f"{n.shown}: no share of variation explained is above one."
                    found = Finding("R2 range", n.place, said, "certain", "inconsistent")
                    yield found.doubted(n.doubtful)
                elif SHARE.search(n.row) and n.value < (-1 if ADJUSTED.search(n.row) else 0):
                    if not instrumented:
                        said = f"{n.shown}: below zero although nothing is instrumented."
                        found = Finding("R2 range", n.place, said, "likely", "inconsistent")
                        yield found.doubted(n.doubtful)
                elif P_VALUE.search(n.row) and not 0 <= n.value <= 1:
                    said = f"{n.shown}: a p lies between 0 and 1."
                    yield Finding("p range", n.place, said, "certain", "inconsistent")


def moments(paper: PrintedPaper) -> Iterator[Finding]:
    """Means outside the extremes; deviations beyond what a range allows: var <= (max - mean)
    (mean - min) n / (n - 1); a least value many deviations below the mean, as no log has.
    """
    for table in paper.tables:
        heads = table.heads
        if not {"mean", "sd", "minimum", "maximum"} <= set(heads):
            continue
        by_row = {kind: {n.row: n for n in column.numbers} for kind, column in heads.items()}
        for row in by_row["mean"]:
            here = {kind: rows[row] for kind, rows in by_row.items() if row in rows}
            if {"mean", "sd", "minimum", "maximum"} <= set(here):
                yield from _moments(here, f"table {table.name} {row}")


def _moments(here: dict[str, Number], place: str) -> Iterator[Finding]:
    mean, sd, low, high = (here[kind] for kind in ("mean", "sd", "minimum", "maximum"))
    if mean.value + mean.half < low.value - low.half or mean.value - mean.half > (
        high.value + high.half
    ):
        said = f"mean {mean.printed} outside {low.printed} to {high.printed}."
        yield Finding("moments", place, said, "certain", "inconsistent")
        return
    count = here["observations"].value if "observations" in here else 20.0
    room = (high.value + high.half - mean.value + mean.half) * (
        mean.value + mean.half - low.value + low.half
    )
    most = math.sqrt(max(room, 0) * count / max(count - 1, 1))
    if sd.value - sd.half > most:
        said = f"sd {sd.printed}, but sqrt((max - mean)(mean - min)) = {most:.4g} at the most."
        yield Finding("moments", place, said, "certain", "inconsistent")
    elif sd.value > 0 and (mean.value - low.value) / sd.value > FAR:
        away = (mean.value - low.value) / sd.value
        said = (
            f"least value {low.printed} lies {away:.1f} standard deviations below the mean"
            f" {mean.printed}; if it is a log, e^{low.printed} = {math.exp(low.value):.3g}."
        )
        yield Finding("extreme", place, said, "likely", "inconsistent")


def lost_decimals(paper: PrintedPaper) -> Iterator[Finding]:
    """A share with fewer decimals than every other of its row: a digit or a closing zero lost."""
    for table in paper.regressions:
        for row in dict.fromkeys(n.row for n in table.numbers if SHARE.search(n.row)):
            yield from _lost(table, row)


def _lost(table: PrintedTable, row: str) -> Iterator[Finding]:
    here = [n for n in table.numbers if n.row == row]
    for n in here:
        others = {other.decimals for other in here if other is not n}
        if len(here) >= 4 and len(others) == 1 and n.decimals < min(others):
            said = f"{n.printed} has {n.decimals} decimals, the rest of its row {min(others)}."
            yield Finding("decimals", n.place, said, "possible", "rounding").doubted(n.doubtful)
