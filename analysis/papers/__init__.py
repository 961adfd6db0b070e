"""Papers as data: what each table is (paper.toml), what was printed (published.csv), and their estimation on a panel.

A folder a paper; code appears beside these files only where a paper does something that no other does.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.estimators import FixedEffectsResult, fixed_effects
from analysis.estimators.core import CovarianceOption
from warehouse.errors import CitytradeError

FOLDER = Path(__file__).resolve().parent
PUBLISHED_COLUMNS = ["table", "column", "row", "coefficient", "bracket", "bracket_kind", "stars"]
STATISTICS = ("n", "r2_adjusted")  # rows of a published table that are not terms of the regression
TABLE_KEYS = {"title", "panel", "estimator", "outcome", "effects", "standard_errors", "constant", "r2", "columns"}
NEEDED_KEYS = {"title", "panel", "estimator", "outcome", "effects", "standard_errors", "r2", "columns"}


class PaperError(CitytradeError):
    """A paper, a table or a column that is not there, or a paper.toml or published.csv that does not hold together."""


@dataclass(frozen=True)
class Table:
    """One table of a paper: the panel it is estimated on and the regressors of each column."""

    name: str
    title: str
    panel: str
    estimator: str
    outcome: str
    effects: tuple[str, ...]
    cluster: str | None
    constant: str
    r2: str
    columns: Mapping[int, tuple[str, ...]]

    @property
    def variables(self) -> list[str]:
        """Columns of the panel that the table needs."""
        regressors = [name for column in self.columns.values() for name in column]
        return list(dict.fromkeys([*self.effects, *([self.cluster] if self.cluster else []), self.outcome, *regressors]))

    def chosen(self, columns: Iterable[int] | None) -> list[int]:
        """The columns asked for, all if none are named.

        Raises
        ------
        PaperError : a column that the table does not have.
        """
        wanted = list(self.columns) if columns is None else list(dict.fromkeys(columns))
        for column in wanted:
            if column not in self.columns:
                raise PaperError(f"{self.name} has no column {column}. It has {', '.join(str(there) for there in self.columns)}.")
        return wanted


@dataclass(frozen=True, eq=False)
class Paper:
    """A paper: its tables, and every number of them that was printed.

    published : one row a printed number: table, column, row, coefficient, bracket, bracket_kind ('t' or 'se'), stars
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
    PaperError : an unknown slug (the nearest is named), or a file that does not hold together, with its place.
    """
    if slug not in paper_names():
        raise PaperError(f"There is no paper {slug!r}. {nearest(slug, paper_names())}")
    file = FOLDER / slug / "paper.toml"
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise PaperError(f"{file}: not valid TOML ({error}). Mend that line.") from error
    _check_keys(file, "the file", raw, {"title", "years", "tables", "panel"}, {"title", "years", "tables"})
    tables = {name: _table(file, name, given) for name, given in raw["tables"].items()}
    return Paper(slug, raw["title"], (raw["years"][0], raw["years"][1]), tables, _published(FOLDER / slug / "published.csv", tables))


def estimate_table(slug: str, table: str, frame: pd.DataFrame, columns: Iterable[int] | None = None) -> dict[int, FixedEffectsResult]:
    """Estimate columns of a paper's table on a frame that has the panel's columns.

    Parameters
    ----------
    frame : one row a city and year, as `warehouse.panel` gives it; years outside the paper's are left out
    columns : numbers of the table's columns; all if not given

    Returns
    -------
    dict : column number -> result, in the order asked for

    Raises
    ------
    PaperError : an unknown paper, table or column, or a frame that cannot be estimated on, with the estimator's reason.
    """
    paper = load_paper(slug)
    wanted = paper.table(table)
    inside = frame[frame["year"].between(*paper.years)] if "year" in frame.columns else frame
    results = {}
    for column in wanted.chosen(columns):
        try:
            results[column] = ESTIMATORS[wanted.estimator](inside, wanted, wanted.columns[column])
        except ValueError as error:
            raise PaperError(f"{slug} {table}, column {column}, on {wanted.panel}: {error}") from error
    return results


def _fixed_effects(frame: pd.DataFrame, table: Table, regressors: tuple[str, ...]) -> FixedEffectsResult:
    covariance: CovarianceOption = {"cluster": [table.cluster]} if table.cluster else "iid"
    return fixed_effects(frame, table.outcome, regressors, table.effects, covariance=covariance, constant=table.constant)  # type: ignore[arg-type]


ESTIMATORS: dict[str, Callable[[pd.DataFrame, Table, tuple[str, ...]], FixedEffectsResult]] = {"fixed_effects": _fixed_effects}


def _table(file: Path, name: str, given: Mapping[str, Any]) -> Table:
    where = f"[tables.{name}]"
    _check_keys(file, where, given, TABLE_KEYS, NEEDED_KEYS)
    if given["estimator"] not in ESTIMATORS:
        raise PaperError(f"{file}, {where}: unknown estimator {given['estimator']!r}. {nearest(given['estimator'], ESTIMATORS)}")
    if given["r2"] not in FixedEffectsResult.__annotations__:
        raise PaperError(f"{file}, {where}: r2 = {given['r2']!r} is not a number that the estimator reports.")
    clusters = given["standard_errors"].get("cluster", [])
    if len(clusters) > 1:
        raise PaperError(f"{file}, {where}: {len(clusters)} cluster columns; one is possible.")
    columns = {at: tuple(column["regressors"]) for at, column in enumerate(given["columns"], start=1)}
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
        columns=columns,
    )


def _published(file: Path, tables: Mapping[str, Table]) -> pd.DataFrame:
    """Printed numbers, each of which must belong to a column and a row that paper.toml knows."""
    text = {"table": "string", "row": "string", "bracket_kind": "string", "stars": "string"}
    frame = pd.read_csv(file, dtype=text, keep_default_na=True)
    if list(frame.columns) != PUBLISHED_COLUMNS:
        raise PaperError(f"{file}: columns are {', '.join(frame.columns)}; {', '.join(PUBLISHED_COLUMNS)} expected.")
    frame["stars"] = frame["stars"].fillna("")
    frame["bracket_kind"] = frame["bracket_kind"].fillna("")
    for at, row in enumerate(frame.to_dict("records"), start=2):
        table = tables.get(row["table"])
        known = table is not None and row["column"] in table.columns and row["row"] in (*table.columns[row["column"]], "constant", *STATISTICS)
        if not known or (pd.notna(row["bracket"]) and row["bracket_kind"] not in ("t", "se")) or row["stars"] not in ("", "*", "**", "***"):
            raise PaperError(f"{file}, line {at}: {row['table']}, column {row['column']}, {row['row']} does not fit paper.toml, or its bracket has no kind.")
    repeated = frame.duplicated(["table", "column", "row"])
    if repeated.any():
        raise PaperError(f"{file}, line {int(repeated.to_numpy().argmax()) + 2}: the same table, column and row stand there twice.")
    return frame


def _check_keys(file: Path, where: str, given: Mapping[str, Any], known: set[str], needed: set[str]) -> None:
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
