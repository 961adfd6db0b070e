"""A table laid out in lines and columns, before it is text, Markdown, HTML, LaTeX or a document.

For every printed column three stand side by side: ours, the published one, and a mark of the
verdict; brackets stand in the line below.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from analysis.papers.cells import (
    DIFFERS,
    EQUAL,
    NEAR,
    OURS,
    REFUSED,
    SAME,
    SIGN,
    VERDICTS,
    Cell,
)
from analysis.papers.declared import Column
from analysis.papers.run import Estimated
from analysis.report.origin import origin_line

MARKS = {SAME: "=*", SIGN: "=", EQUAL: "==", NEAR: "~", DIFFERS: "x", REFUSED: "-", OURS: ""}
LEGEND = (
    "*, **, ***: p below 10, 5, 1 %. Verdicts: "
    + "; ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items() if mark)
    + ". Published numbers as printed."
)
KINDS = {"se": "standard errors", "t": "t statistics", "p": "p values"}


@dataclass(frozen=True)
class Grid:
    """Heads and lines of cells, all of the same length; a line that is only brackets is marked."""

    heads: tuple[tuple[str, ...], ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Page:
    """A table ready to be written in any format.

    Attributes
    ----------
    origin : whose numbers these are; the first line of every page
    grids : one a stacked block
    notes : sentences below
    """

    origin: str
    title: str
    grids: tuple[Grid, ...]
    notes: tuple[str, ...]


def page_of(done: Estimated) -> Page:
    """The page of one estimated table."""
    columns = list(done.table.columns.values())
    blocks = list(dict.fromkeys(column.block for column in columns))
    grids = [_grid(done, [c for c in columns if c.block == block]) for block in blocks]
    variant = f", variant {done.paper.variant}" if done.paper.variant else ""
    title = f"{done.table.title} ({done.paper.title}{variant})"
    found = origin_line(done.is_simulated, done.release)
    return Page(found, title, tuple(grids), tuple(_notes(done)))


def counted(cells: Iterable[Cell]) -> dict[str, int]:
    """Cells by verdict, in the order of the verdicts."""
    found = Counter(cell.verdict for cell in cells if cell.verdict)
    return {verdict: found[verdict] for verdict in VERDICTS if found[verdict]}


def _grid(done: Estimated, columns: Sequence[Column]) -> Grid:
    cells = {(cell.row, cell.column): cell for cell in done.cells}
    names = ["", *(part for column in columns for part in (f"({column.name})", column.head, ""))]
    sides = ["", *(part for _ in columns for part in ("ours", "published", ""))]
    lines: list[tuple[str, ...]] = []
    for row in done.table.rows:
        here = [cells.get((row, column.name)) for column in columns]
        if any(here):
            lines.append((row, *(part for cell in here for part in _numbers(cell))))
            below = ("", *(part for cell in here for part in _brackets(cell)))
            lines += [below] if any(below) else []
    for row, said in done.table.text.items():
        texts = said if isinstance(said, list) else [said] * len(columns)
        lines.append((row, *(part for text in texts for part in (str(text), "", ""))))
    return Grid((tuple(names), tuple(sides)), tuple(lines))


def _numbers(cell: Cell | None) -> tuple[str, str, str]:
    if cell is None:
        return "", "", ""
    ours = cell.text or ("" if math.isnan(cell.ours) else shown(cell.ours) + cell.stars)
    return ours, cell.printed + cell.printed_stars, MARKS.get(cell.verdict, "")


def _brackets(cell: Cell | None) -> tuple[str, str, str]:
    if cell is None:
        return "", "", ""
    ours = "" if math.isnan(cell.bracket) else f"({shown(cell.bracket)})"
    return ours, f"({cell.printed_bracket})" if cell.printed_bracket else "", ""


def shown(value: float) -> str:
    """A number as tables have it: whole numbers whole, others with four figures that count."""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == round(value) and abs(value) < 1e12:
        return f"{value:,.0f}"
    if abs(value) >= 1000:
        return f"{value:,.1f}"
    if abs(value) >= 0.001:
        return f"{value:.{max(3, 3 - math.floor(math.log10(abs(value))) - 1)}f}"
    return f"{value:.2e}"


def _warnings(done: Estimated) -> Iterator[str]:
    """Each warning once, with the columns that it is of."""
    columns: dict[str, list[str]] = {}
    for name, column in done.table.columns.items():
        for _, sentence in () if column.taken_from else done.estimates[name].warnings:
            columns.setdefault(sentence, []).append(name)
    for sentence, names in columns.items():
        yield f"({', '.join(dict.fromkeys(names))}) Warning: {sentence}"


def _notes(done: Estimated) -> Iterator[str]:
    kinds = {cell.bracket_kind for cell in done.cells if cell.bracket_kind}
    brackets = " and ".join(KINDS[kind] for kind in sorted(kinds))
    yield f"{brackets[:1].upper()}{brackets[1:]} in brackets. {LEGEND}" if brackets else LEGEND
    if done.table.note:
        yield done.table.note
    for name, column in done.table.columns.items():
        estimate = done.estimates[name]
        if column.note:
            yield f"({name}) {column.note}"
        if estimate.reason:
            yield f"({name}) Cannot be run: {estimate.reason}"
        elif not column.taken_from and estimate.note:
            yield f"({name}) {estimate.note}"
    yield from _warnings(done)
    for cell in done.cells:
        if cell.doubtful:
            yield f"({cell.column}) {cell.row}, published: {cell.doubtful}."
        if cell.holds is not None:
            word = "holds" if cell.holds else "does not hold"
            yield (
                f"({cell.column}) {cell.row}: [{shown(cell.low)}, {shown(cell.high)}] {word} the"
                f" simulated truth {shown(cell.truth)}."
            )
    totals = ", ".join(f"{count} {verdict}" for verdict, count in counted(done.cells).items())
    yield f"Cells: {totals}."
