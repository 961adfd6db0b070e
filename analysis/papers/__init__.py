"""Papers as data: what each table is (paper.toml), what was printed (published.csv), and their
estimation on a panel.

A folder a paper; code appears beside these files only where a paper does something that no other
does.
"""

from __future__ import annotations

import csv
import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.estimators import FixedEffectsResult, fixed_effects
from analysis.estimators.core import CovarianceOption
from warehouse.errors import CitytradeError

FOLDER = Path(__file__).resolve().parent
CELL = ["table", "column", "row"]
PUBLISHED_COLUMNS = [*CELL, "coefficient", "bracket", "bracket_kind", "stars", "doubtful"]
BRACKET_KINDS = ("t", "se", "p")
NUMBER = re.compile(r"-?\d*\.?\d+(e[+-]?\d+)?", re.ASCII)
STATISTICS = ("n", "r2_adjusted")  # rows of a published table that are not terms of the regression
NEEDED_KEYS = {"title", "panel", "estimator", "outcome", "effects", "standard_errors"}
NEEDED_KEYS |= {"r2", "rows", "columns"}
TABLE_KEYS = NEEDED_KEYS | {"constant"}


class PaperError(CitytradeError):
    """A paper, a table or a column that is not there, or a paper.toml or published.csv that does
    not hold together.
    """


@dataclass(frozen=True)
class Table:
    """One table of a paper: the panel it is estimated on and the regressors of each column.

    name : t4 for the table that is printed as table 4
    rows : printed row -> regressor, "constant" or one of STATISTICS
    """

    name: str
    title: str
    panel: str
    estimator: str
    outcome: str
    effects: tuple[str, ...]
    cluster: str | None
    constant: str
    r2: str
    rows: Mapping[str, str]
    columns: Mapping[int, tuple[str, ...]]

    @property
    def variables(self) -> list[str]:
        """Columns of the panel that the table needs."""
        regressors = [name for column in self.columns.values() for name in column]
        return list(
            dict.fromkeys(
                [
                    *self.effects,
                    *([self.cluster] if self.cluster else []),
                    self.outcome,
                    *regressors,
                ]
            )
        )

    def chosen(self, columns: Iterable[int] | None) -> list[int]:
        """The columns asked for, all if none are named.

        Raises
        ------
        PaperError : a column that the table does not have.
        """
        wanted = list(self.columns) if columns is None else list(dict.fromkeys(columns))
        for column in wanted:
            if column not in self.columns:
                raise PaperError(
                    f"{self.name} has no column {column}. It has"
                    f" {', '.join(str(there) for there in self.columns)}."
                )
        return wanted


@dataclass(frozen=True, eq=False)
class Paper:
    """A paper: its tables, and every number of them that was printed.

    published : one row a printed number: table, column and row as `tables` names them, coefficient,
        bracket (NaN if none), bracket_kind (one of BRACKET_KINDS), stars, doubtful (why, or "")
    """

    slug: str
    title: str
    years: tuple[int, int]
    tables: Mapping[str, Table]
    published: pd.DataFrame

    def table(self, name: str) -> Table:
        if name not in self.tables:
            raise PaperError(f"{self.slug} has no table {name!r}. {nearest(name, self.tables)}")
        return self.tables[name]


def paper_names() -> list[str]:
    """Slugs of the papers that are there."""
    return sorted(file.parent.name for file in FOLDER.glob("*/paper.toml"))


def load_paper(slug: str) -> Paper:
    """Read and check one paper's folder.

    Raises
    ------
    PaperError : an unknown slug (the nearest is named), or a file that does not hold together, with
        its place.
    """
    if slug not in paper_names():
        raise PaperError(f"There is no paper {slug!r}. {nearest(slug, paper_names())}")
    file = FOLDER / slug / "paper.toml"
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise PaperError(f"{file}: not valid TOML ({error}). Mend that line.") from error
    _check_keys(
        file, "the file", raw, {"title", "years", "tables", "panel"}, {"title", "years", "tables"}
    )
    tables = {name: _table(file, name, given) for name, given in raw["tables"].items()}
    return Paper(
        slug,
        raw["title"],
        (raw["years"][0], raw["years"][1]),
        tables,
        _published(FOLDER / slug / "published.csv", tables),
    )


def estimate_table(
    slug: str, table: str, frame: pd.DataFrame, columns: Iterable[int] | None = None
) -> dict[int, FixedEffectsResult]:
    """Estimate columns of a paper's table on a frame that has the panel's columns.

    Parameters
    ----------
    frame : one row a city and year, as `warehouse.panel` gives it; years outside the paper's are
        left out
    columns : numbers of the table's columns; all if not given

    Returns
    -------
    dict : column number -> result, in the order asked for

    Raises
    ------
    PaperError : an unknown paper, table or column, or a frame that cannot be estimated on, with the
        estimator's reason.
    """
    paper = load_paper(slug)
    wanted = paper.table(table)
    inside = frame[frame["year"].between(*paper.years)] if "year" in frame.columns else frame
    results = {}
    for column in wanted.chosen(columns):
        try:
            results[column] = ESTIMATORS[wanted.estimator](inside, wanted, wanted.columns[column])
        except ValueError as error:
            raise PaperError(
                f"{slug} {table}, column {column}, on {wanted.panel}: {error}"
            ) from error
    return results


def _fixed_effects(
    frame: pd.DataFrame, table: Table, regressors: tuple[str, ...]
) -> FixedEffectsResult:
    covariance: CovarianceOption = {"cluster": [table.cluster]} if table.cluster else "iid"
    return fixed_effects(
        frame,
        table.outcome,
        regressors,
        table.effects,
        covariance=covariance,
        constant=table.constant,  # type: ignore[arg-type]
    )


ESTIMATORS: dict[str, Callable[[pd.DataFrame, Table, tuple[str, ...]], FixedEffectsResult]] = {
    "fixed_effects": _fixed_effects
}


def _table(file: Path, name: str, given: Mapping[str, Any]) -> Table:
    where = f"[tables.{name}]"
    _check_keys(file, where, given, TABLE_KEYS, NEEDED_KEYS)
    if given["estimator"] not in ESTIMATORS:
        raise PaperError(
            f"{file}, {where}: unknown estimator {given['estimator']!r}."
            f" {nearest(given['estimator'], ESTIMATORS)}"
        )
    if given["r2"] not in FixedEffectsResult.__annotations__:
        raise PaperError(
            f"{file}, {where}: r2 = {given['r2']!r} is not a number that the estimator reports."
        )
    clusters = given["standard_errors"].get("cluster", [])
    if len(clusters) > 1:
        raise PaperError(f"{file}, {where}: {len(clusters)} cluster columns; one is possible.")
    if len(set(given["rows"].values())) < len(given["rows"]):
        raise PaperError(f"{file}, {where}: two printed rows have one name under rows.")
    columns = {
        at: tuple(column["regressors"]) for at, column in enumerate(given["columns"], start=1)
    }
    return Table(
        name=name,
        title=given["title"],
        panel=given["panel"],
        estimator=given["estimator"],
        outcome=given["outcome"],
        effects=tuple(given["effects"]),
        cluster=clusters[0] if clusters else None,
        constant=given.get("constant", "grand_mean"),
        r2=given["r2"],
        rows=given["rows"],
        columns=columns,
    )


def read_lines(file: Path, columns: Sequence[str]) -> list[list[str]]:
    """Lines of a csv file below its header, as text.

    Raises
    ------
    PaperError : another header, or a line with more or fewer fields, with its place.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            head, *lines = [*csv.reader(text, strict=True)] or [[]]
    except (csv.Error, UnicodeDecodeError) as error:
        raise PaperError(f"{file}: not a csv file in UTF-8 ({error}). Mend it there.") from error
    if head != list(columns):
        expected = ", ".join(columns)
        raise PaperError(f"{file}: columns are {', '.join(head)}; {expected} expected.")
    for at, line in enumerate(lines, start=2):
        if len(line) != len(head):
            raise PaperError(f"{file}, line {at}: {len(line)} fields; {len(head)} expected.")
    return lines


def read_published(file: Path) -> pd.DataFrame:
    """Every number that a paper printed, of all its tables.

    Returns
    -------
    pandas.DataFrame : PUBLISHED_COLUMNS as text, since the decimals printed say how exact a number
        is; "" where nothing was printed; no table, column and row as printed stand there twice

    Raises
    ------
    PaperError : a file that does not hold together, with the line.
    """
    lines = read_lines(file, PUBLISHED_COLUMNS)
    frame = pd.DataFrame(lines, columns=PUBLISHED_COLUMNS, dtype="string")
    for reason, found in _faults(frame):
        if found.any():
            at = int(found.to_numpy(dtype=bool).argmax())
            cell = ", ".join(lines[at][: len(CELL)])
            raise PaperError(f"{file}, line {at + 2} ({cell}): {reason}.")
    return frame


def _faults(frame: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """What can be wrong with a line of published.csv, and the lines that have it."""
    yield "it names no table, column or row", (frame[CELL] == "").any(axis=1)
    yield "its coefficient is not a number", ~frame["coefficient"].str.fullmatch(NUMBER)
    bare, kind = frame["bracket"] == "", frame["bracket_kind"]
    yield "its bracket is not a number", ~bare & ~frame["bracket"].str.fullmatch(NUMBER)
    yield f"its bracket has no kind ({', '.join(BRACKET_KINDS)})", ~bare & ~kind.isin(BRACKET_KINDS)
    yield "it has a kind and no bracket", bare & (kind != "")
    yield "its stars are not *, ** or ***", ~frame["stars"].isin(["", "*", "**", "***"])
    yield "the same table, column and row stand there twice", frame.duplicated(CELL)


def _published(file: Path, tables: Mapping[str, Table]) -> pd.DataFrame:
    """Printed numbers of the tables in paper.toml, under the names that it gives them."""
    kept = []
    for at, row in enumerate(read_published(file).to_dict("records"), start=2):
        table = tables.get(f"t{row['table']}")
        if table is None:  # printed, and not declared
            continue
        column = int(row["column"]) if row["column"].isdecimal() else 0
        name = table.rows.get(row["row"])
        regressors = table.columns.get(column)
        if regressors is None or name not in (*regressors, "constant", *STATISTICS):
            cell = f"{table.name}, column {row['column']}, {row['row']}"
            raise PaperError(f"{file}, line {at}: {cell} does not fit paper.toml.")
        kept.append(row | {"table": table.name, "column": column, "row": name})
    frame = pd.DataFrame(kept, columns=PUBLISHED_COLUMNS)
    for name in ("coefficient", "bracket"):
        frame[name] = pd.to_numeric(frame[name]).astype("float64")
    return frame


def _check_keys(
    file: Path, where: str, given: Mapping[str, Any], known: set[str], needed: set[str]
) -> None:
    for key in given:
        if key not in known:
            raise PaperError(f"{file}, {where}: unknown key {key!r}. {nearest(key, known)}")
    missing = sorted(needed - set(given))
    if missing:
        raise PaperError(f"{file}, {where}: {', '.join(missing)} missing.")


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence with the known names that look most like one that is not known."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    return f"Nearest: {', '.join(near)}." if near else f"There are: {', '.join(names)}."
