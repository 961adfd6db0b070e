"""The pages of papers: tables beside the published numbers with verdicts, figures, the audit of
what was printed, and notes. Estimates are those that `citytrade papers` kept; none is made here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.papers import FOLDER, Paper, Release, load_paper, paper_names
from analysis.papers.cells import DIFFERS, EQUAL, NEAR, OURS, REFUSED, SAME, SIGN, VERDICTS
from analysis.papers.figures import numbers_of
from analysis.papers.run import Estimated, kept_tables
from analysis.report.audit import audit_folder
from analysis.report.figures import pictures
from analysis.report.layout import MARKS, counted, page_of
from analysis.report.origin import origin_line
from analysis.report.site.documents import rendered
from analysis.report.site.facts import Facts, Rows
from analysis.report.site.pages import Page

# How a verdict looks on a page.
LOOKS = {SAME: "good", EQUAL: "good", SIGN: "warn", NEAR: "warn", DIFFERS: "bad", REFUSED: "bad",
         OURS: ""}  # fmt: skip
HEAVY = "changes the conclusion"


def paper_pages(facts: Facts, folder: Path, draw: bool) -> Iterator[Page]:
    """The list of papers with their verdicts, and a page each.

    Parameters
    ----------
    draw : estimate and draw the figures too; it takes minutes
    """
    release = Release(facts.config, facts.release)
    listed: Rows = []
    for slug in paper_names():
        paper = load_paper(slug)
        done, missing = kept_tables(paper, release)
        found = audit_folder(FOLDER / slug)
        counts = counted(cell for one in done for cell in one.cells)
        listed.append(
            {"slug": slug, "title": paper.title, "tables_n": len(paper.tables), "counts": counts,
             "done_n": len(done), "findings_n": len(found),
             "heavy_n": sum(one.weight == HEAVY for one in found)}
        )  # fmt: skip
        yield Page(
            f"papers/{slug}.html", "paper.html", slug, "papers.html",
            {
                "slug": slug, "title": paper.title, "counts": counts, "looks": LOOKS,
                "tables": [_table(one) for one in done], "missing": missing,
                "findings": [asdict(one) for one in found],
                "by_weight": dict(Counter(one.weight for one in found)),
                "figures": _figures(paper, release, folder) if draw else _undrawn(paper),
                "notes": _notes(slug),
            },
        )  # fmt: skip
    yield Page(
        "papers.html", "papers.html", "Papers", "papers.html",
        {"papers": listed, "verdicts": VERDICTS, "looks": LOOKS},
    )  # fmt: skip


def _table(done: Estimated) -> dict[str, Any]:
    """A table as its page lays it out, each cell with the look of its verdict."""
    page = page_of(done)
    marks = {mark: LOOKS[verdict] for verdict, mark in MARKS.items() if mark}
    grids = [
        {
            "heads": _headed(grid.heads),
            "lines": [
                [(text, marks.get(text, "") if at % 3 == 0 else "") for at, text in enumerate(line)]
                for line in grid.lines
            ],
        }
        for grid in page.grids
    ]
    return {"name": done.table.name, "title": page.title, "grids": grids, "notes": page.notes,
            "counts": counted(done.cells)}  # fmt: skip


def _headed(heads: Sequence[Sequence[str]]) -> list[str]:
    """One head a printed column: its number and name."""
    first = heads[0]
    return [" ".join(filter(None, first[at : at + 2])) for at in range(1, len(first), 3)]


def _figures(paper: Paper, release: Release, folder: Path) -> Rows:
    """The figures drawn, or why they cannot be."""
    world = "simulated" if release.is_simulated else "real"
    origin = origin_line(release.is_simulated, release.name)
    found: Rows = []
    (folder / "files").mkdir(exist_ok=True)
    for name, figure in paper.figures.items():
        drawn = numbers_of(figure, release)
        place = ""
        if not drawn.reason:
            place = f"files/{world}_{paper.slug}_figure_{name.removeprefix('f')}.svg"
            (folder / place).write_bytes(pictures(drawn, origin)["svg"])
        found.append({"title": figure.title, "place": place, "reason": drawn.reason,
                      "note": drawn.note})  # fmt: skip
    return found


def _undrawn(paper: Paper) -> Rows:
    return [
        {"title": figure.title, "place": "", "reason": figure.reason, "note": ""}
        for figure in paper.figures.values()
    ]


def _notes(slug: str) -> Any:
    file = FOLDER / slug / "notes.md"
    return rendered(file.read_text(encoding="utf-8"), lambda _: None) if file.is_file() else ""
