"""`citytrade papers` and `citytrade audit`: the tables of papers off the published release, and the
published numbers against themselves.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from warehouse.errors import CitytradeError
from warehouse.settings.config import load_config

if TYPE_CHECKING:
    from analysis.papers import Paper, Release
    from analysis.papers.run import Estimated

SUFFIXES = {"text": "txt", "latex": "tex"}


def add_commands(commands: Any, command: Any) -> None:
    """The arguments of both; `command` makes one, as the other rooms do."""
    _papers_arguments(commands, command)
    audit = command(
        commands, "audit", run_audit,
        "check published numbers against themselves, without data",
    )  # fmt: skip
    audit.add_argument("names", nargs="*", metavar="SLUG", help="papers (all if none)")
    audit.add_argument("--folder", type=Path, metavar="DIR", help="a paper of your own")
    audit.add_argument("--file", type=Path, metavar="CSV", help="a published.csv of your own")
    audit.add_argument(
        "--format", default="text", choices=("text", "csv", "json"), help="(default: text)"
    )


def _papers_arguments(commands: Any, command: Any) -> None:
    papers = command(
        commands, "papers", run_papers,
        "estimate the tables of papers off the release, each number beside the published one",
    )  # fmt: skip
    papers.add_argument(
        "names", nargs="*", metavar="SLUG", help="papers (all if none), or: new DIR"
    )
    papers.add_argument("--folder", type=Path, metavar="DIR", help="a paper of your own")
    papers.add_argument("--table", nargs="+", metavar="T", help="tables, such as 4 (all if none)")
    papers.add_argument("--variant", default="", metavar="V", help="real, strict, modern, ...")
    papers.add_argument(
        "--format", default="text", choices=("text", "md", "html", "latex", "docx", "csv", "json"),
        help="of tables; csv and json give a row a cell (default: text)",
    )  # fmt: skip
    papers.add_argument(
        "-o", "--output", type=Path, metavar="DIR",
        help="write a file a table, and the figures, into this folder",
    )  # fmt: skip
    _add_beside(papers)
    papers.add_argument("--release", metavar="R", help="a release (default: the current one)")
    papers.add_argument(
        "--fresh", action="store_true", help="estimate again what is kept from before"
    )


def _add_beside(papers: argparse.ArgumentParser) -> None:
    """What may be shown in place of tables."""
    shown = papers.add_mutually_exclusive_group()
    shown.add_argument(
        "--curves", action="store_true",
        help="specification curves in place of tables: headlines under every open choice",
    )  # fmt: skip
    shown.add_argument(
        "--power", action="store_true",
        help="what headlines could have found: smallest detectable effects, power",
    )  # fmt: skip


def run_audit(given: argparse.Namespace) -> None:
    from analysis.report.audit.printing import print_findings

    print_findings(list(_audited(given)), given.format)


def _audited(given: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    """A name and its findings for each paper or file asked for."""
    from analysis.papers import FOLDER, nearest
    from analysis.report.audit import audit_file, audit_folder

    if given.file is not None:
        yield given.file.name, audit_file(given.file)
    if given.folder is not None:
        yield given.folder.name, audit_folder(given.folder)
    there = sorted(file.parent.name for file in FOLDER.glob("*/published.csv"))
    own = given.file is not None or given.folder is not None
    for name in given.names or ([] if own else there):
        if name not in there:
            raise CitytradeError(f"There is no paper {name!r}. {nearest(name, there)}")
        yield name, audit_folder(FOLDER / name)


def run_papers(given: argparse.Namespace) -> int | None:
    from analysis.papers import Release

    if given.names[:1] == ["new"]:
        return _new(given.names[1:])
    began = perf_counter()
    papers = list(_papers(given))
    release = Release(load_config(given.config), _release_name(given))
    if given.curves or given.power:
        (_curves if given.curves else _power)(papers, release, given)
        return None
    done: list[Estimated] = []
    for paper in papers:
        done += _tables(paper, release, given)
        if given.output is not None and not given.table:
            _figures(paper, release, given.output)
    if given.format in ("csv", "json") and given.output is None:
        from analysis.report import CELLS

        print(CELLS[given.format](done), end="")
    else:
        _summary(done, perf_counter() - began)
    return None


def _papers(given: argparse.Namespace) -> Iterator[Paper]:
    from analysis.papers import load_paper, paper_names, read_paper

    if given.folder is not None:
        if given.names:
            raise CitytradeError("--folder reads a paper of your own: name no other beside it.")
        yield read_paper(given.folder.resolve(), given.variant)
        return
    if given.format == "docx" and given.output is None:
        raise CitytradeError("--format docx writes files: add -o DIR.")
    for name in given.names or paper_names():
        yield load_paper(name, given.variant)


def _release_name(given: argparse.Namespace) -> str | None:
    from warehouse.releases.publish import named_release

    if given.release is None:
        return None
    return named_release(load_config(given.config).home, given.release)


def _tables(paper: Paper, release: Release, given: argparse.Namespace) -> list[Estimated]:
    """Estimate, and print or write each table as it is done."""
    from analysis.papers.run import estimate_tables
    from analysis.report import CELLS, PAGES, page_of

    found = []
    names = given.table or list(paper.tables)
    for name in names:
        [done] = estimate_tables(paper, release, [name], fresh=given.fresh)
        found.append(done)
        if given.output is not None:
            in_file = (
                PAGES[given.format](page_of(done))
                if given.format in PAGES
                else (CELLS[given.format]([done]))
            )
            _write(given.output, _file_name(done, given.format), in_file)
        elif given.format in PAGES:
            print(PAGES[given.format](page_of(done)), end="\n\n", flush=True)
    return found


def _file_name(done: Estimated, form: str) -> str:
    world = "simulated" if done.is_simulated else "real"
    variant = f"_{done.paper.variant}" if done.paper.variant else ""
    name = f"{done.paper.slug}_table_{done.table.name}"
    return f"{world}_{name}{variant}.{SUFFIXES.get(form, form)}"


def _write(folder: Path, name: str, content: str | bytes) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Spreadsheets need the mark to take a csv's Chinese for what it is.
        encoding = "utf-8-sig" if name.endswith(".csv") else "utf-8"
        data = content if isinstance(content, bytes) else content.encode(encoding)
        (folder / name).write_bytes(data)
    except OSError as error:
        raise CitytradeError(f"{folder / name} cannot be written: {error.strerror}.") from error
    print(folder / name)


def _figures(paper: Paper, release: Release, folder: Path) -> None:
    from analysis.report.curves import write_curves
    from analysis.report.figures import write_figures

    for lines in (write_figures(paper, release, folder), write_curves(paper, release, folder)):
        for line in lines:
            print(line, flush=True)


def _curves(papers: Sequence[Paper], release: Release, given: argparse.Namespace) -> None:
    from analysis.report.curves import write_curves
    from analysis.report.origin import origin_line

    print(origin_line(release.is_simulated, release.name))
    for paper in papers:
        for line in write_curves(paper, release, given.output, fresh=given.fresh):
            print(line, flush=True)


def _power(papers: Sequence[Paper], release: Release, given: argparse.Namespace) -> None:
    import pandas as pd

    from analysis.papers.power import headline_tables, power_rows, shown
    from analysis.papers.run import estimate_tables
    from analysis.report.origin import origin_line

    found = []
    for paper in papers:
        names = headline_tables(paper, release.truths(paper.slug).values())
        done = estimate_tables(paper, release, names, fresh=given.fresh) if names else []
        found += [power_rows(one) for one in done]
    rows = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    if rows.empty:
        raise CitytradeError("No paper here has a curve or a known truth: nothing is a headline.")
    print(origin_line(release.is_simulated, release.name))
    for line in shown(rows):
        print(line)


def _summary(done: Sequence[Estimated], seconds: float) -> None:
    """The page of verdicts: a line a paper, and the time."""
    from analysis.report import counted
    from analysis.report.origin import origin_line
    from flows.telling.printing import table

    slugs = list(dict.fromkeys(one.paper.slug for one in done))
    rows, totals = [], counted(cell for one in done for cell in one.cells)
    for slug in slugs:
        own = [one for one in done if one.paper.slug == slug]
        found = counted(cell for one in own for cell in one.cells)
        known = [cell for one in own for cell in one.cells if cell.holds is not None]
        truth = f"{sum(bool(cell.holds) for cell in known)} of {len(known)}" if known else ""
        rows.append((slug, len(own), *(found.get(name, 0) for name in totals), truth))
    if done:
        print(origin_line(done[0].is_simulated, done[0].release))
    print(table(("paper", "tables", *totals, "truth in interval"), rows))
    fresh = sum(len(one.fresh) for one in done)
    print(f"{len(done)} tables, {fresh} columns estimated anew, {seconds:.1f} s.")


def _new(names: Sequence[str]) -> int:
    from analysis.papers.start import write_start

    if len(names) != 1:
        raise CitytradeError("`citytrade papers new DIR`: name one folder that is not there yet.")
    for file in write_start(Path(names[0])):
        print(file)
    print(f"Run it: citytrade papers --folder {names[0]}", file=sys.stderr)
    return 0
