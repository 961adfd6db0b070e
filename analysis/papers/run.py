"""Running a paper: every column of its tables estimated once, or taken from what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter

from analysis.papers.cells import Cell, cells_of
from analysis.papers.declared import Estimation, Paper, Table
from analysis.papers.estimate import Estimate, not_run, run, words_of
from analysis.papers.kept import Address, Kept, key_of
from analysis.papers.release import Release

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Estimated:
    """A table with its estimates and its cells.

    Attributes
    ----------
    estimates : column -> what came of it
    fresh : columns that were estimated now; the others were taken from what is kept
    seconds : spent
    """

    paper: Paper
    table: Table
    release: str
    is_simulated: bool
    estimates: Mapping[str, Estimate]
    cells: tuple[Cell, ...]
    fresh: tuple[str, ...]
    seconds: float


def estimate_tables(
    paper: Paper,
    release: Release,
    names: Iterable[str] | None = None,
    *,
    keep: bool = True,
    fresh: bool = False,
    say: Say | None = None,
) -> list[Estimated]:
    """Tables of a paper on a release.

    Parameters
    ----------
    names : of tables; all if not given
    keep : take estimates that rest on the same from what is kept, and keep new ones
    fresh : estimate again although it is kept
    say : is told of each table that is done

    Raises
    ------
    PaperError : a table that the paper does not have.
    """
    tables = [paper.table(name) for name in names] if names else list(paper.tables.values())
    kept = Kept(release) if keep else None
    done = []
    for asked in asked_of(paper.tables.values()):
        release.expect(asked.panel, words_of(asked))
    for table in tables:
        began = perf_counter()
        estimates, new = _estimates(paper, table, release, kept, fresh)
        cells = cells_of(paper, table, estimates, release.truths(paper.slug))
        done.append(
            Estimated(
                paper, table, release.name, release.is_simulated, estimates, tuple(cells),
                new, perf_counter() - began,
            )
        )  # fmt: skip
        if say is not None:
            say(f"{paper.slug}, table {table.name}: {done[-1].seconds:.1f} s")
    return done


def kept_tables(paper: Paper, release: Release) -> tuple[list[Estimated], list[Table]]:
    """The tables of a paper whose every estimate is kept, without estimating anything, and the
    tables of which some estimate is not.
    """
    kept, done, missing = Kept(release), [], []
    for table in paper.tables.values():
        asked = asked_of([table])
        if any(kept.find(key_of(release, one)) is None for one in asked):
            missing.append(table)
            continue
        began = perf_counter()
        estimates, _ = _estimates(paper, table, release, kept, again=False)
        cells = cells_of(paper, table, estimates, release.truths(paper.slug))
        done.append(
            Estimated(
                paper, table, release.name, release.is_simulated, estimates, tuple(cells),
                (), perf_counter() - began,
            )
        )  # fmt: skip
    return done, missing


def asked_of(tables: Iterable[Table]) -> list[Estimation]:
    """Every estimation of tables."""
    columns = [column for table in tables for column in table.columns.values()]
    return [column.estimation for column in columns if column.estimation is not None]


def _estimates(
    paper: Paper, table: Table, release: Release, kept: Kept | None, again: bool
) -> tuple[dict[str, Estimate], tuple[str, ...]]:
    found: dict[str, Estimate] = {}
    new: dict[Address, tuple[str, Estimate]] = {}
    fresh = []
    for name, column in table.columns.items():
        if column.taken_from:
            found[name] = found[column.taken_from]
        elif column.estimation is None:
            found[name] = not_run(column.reason)
        else:
            key = key_of(release, column.estimation)
            there = kept.find(key) if kept is not None and not again else None
            found[name] = there if there is not None else run(release, column.estimation)[0]
            fresh += [name] if there is None else []
            new[paper.slug, paper.variant, table.name, name] = (key, found[name])
    if kept is not None and fresh:
        kept.put(new)
    return found, tuple(fresh)
