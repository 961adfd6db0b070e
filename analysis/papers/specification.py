"""A paper's folder as data: every column of every table with all that its levels say, checked.

Levels, from the general to the particular: [defaults], [variants.<name>], [tables.<t>],
[tables.<t>.variants.<name>], [[tables.<t>.columns]], and a column's own variants. The particular
holds; `rows` and `options` are joined key by key, everything else is replaced.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.papers import keys
from analysis.papers.curves import read_curve
from analysis.papers.declared import Column, Curve, Estimation, Figure, Paper, Place, Table
from analysis.papers.prepare import check_steps
from analysis.papers.published import (
    FOLDER,
    PUBLISHED_COLUMNS,
    PaperError,
    nearest,
    read_published,
)
from analysis.papers.where import parse

JOINED = ("rows", "options")
BRACKETS = ("se", "t", "p")


def paper_names() -> list[str]:
    """Slugs of the papers that are there."""
    return sorted(file.parent.name for file in FOLDER.glob("*/paper.toml"))


def load_paper(slug: str, variant: str = "") -> Paper:
    """One of the project's papers.

    Raises
    ------
    PaperError : an unknown slug (the nearest is named), or a file that does not hold together, with
        its place.
    """
    if slug not in paper_names():
        raise PaperError(f"There is no paper {slug!r}. {nearest(slug, paper_names())}")
    return read_paper(FOLDER / slug, variant)


def read_paper(folder: Path, variant: str = "") -> Paper:
    """A paper from a folder: paper.toml, and published.csv where numbers were printed.

    Parameters
    ----------
    variant : of the tables ("real", "strict", ...); "" for the paper as it is. A table without that
        variant is as it is

    Raises
    ------
    PaperError : a file that is missing or does not hold together, with its place; a variant that no
        table has.
    """
    file = folder / "paper.toml"
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PaperError(f"{file} is not there. `citytrade papers new DIR` writes one.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PaperError(f"{file}: not valid TOML ({error}). Mend that line.") from error
    printed = folder / "published.csv"
    empty = pd.DataFrame(columns=PUBLISHED_COLUMNS, dtype="string")
    published = read_published(printed) if printed.is_file() else empty
    return _Reader(file, raw, variant, published).paper()


class _Reader:
    """A paper.toml while it is read: whatever is said carries the file and the place in it."""

    def __init__(
        self, file: Path, raw: Mapping[str, Any], variant: str, published: pd.DataFrame
    ) -> None:
        self.file, self.raw, self.variant, self.published = file, raw, variant, published
        self.variants: set[str] = set(raw.get("variants", {}))

    def paper(self) -> Paper:
        raw = self.raw
        keys.check_keys(f"{self.file}, the file", "paper", raw)
        if "title" not in raw or not (raw.get("tables") or raw.get("figures")):
            raise PaperError(f"{self.file}, the file: a title and tables or figures are needed.")
        tables = {
            name.lower().removeprefix("t"): self.table(name, given)
            for name, given in raw.get("tables", {}).items()
        }
        figures = {name: self.figure(name, given) for name, given in raw.get("figures", {}).items()}
        if self.variant and self.variant not in self.variants:
            known = nearest(self.variant, self.variants) if self.variants else "It has none."
            raise PaperError(f"{self.file}: no table has a variant {self.variant!r}. {known}")
        self.check_printed(tables)
        named = ((name, self.curve(name, given)) for name, given in raw.get("curves", {}).items())
        curves = {name: curve for name, curve in named if curve is not None}
        slug = self.file.parent.name
        return Paper(
            slug, raw["title"], self.file.parent, self.variant, tables, figures, self.published,
            curves,
        )  # fmt: skip

    def curve(self, name: str, given: Mapping[str, Any]) -> Curve | None:
        """A number under several choices, on top of all that its column's levels say; None where a
        variant does not estimate that column.
        """
        place = f"{self.file}, [curves.{name}]"
        keys.check_keys(place, "curve", given)
        if missing := [key for key in ("title", "table", "column", "row") if key not in given]:
            raise PaperError(f"{place}: a {missing[0]} is needed.")
        table, columns = self.table_given(place, str(given["table"]))
        wanted = str(given["column"])
        if wanted not in columns:
            raise PaperError(f"{place}: no column {wanted!r}. {nearest(wanted, columns)}")
        own = columns[wanted]
        levels = [*self.levels(place, table), own]
        levels += [own["variants"][self.variant]] if self._varies(own) else []
        levels = [{k: v for k, v in level.items() if k not in ("columns", "variants")}
                  for level in levels]  # fmt: skip
        column = self.column(place, levels[:-1], {**levels[-1], "column": wanted}, 1, {})
        if column.estimation is None and self.variant:
            return None  # this variant says why in its table
        if column.estimation is None:
            raise PaperError(f"{place}: column {wanted} is not estimated itself.")
        return read_curve(place, name, given, (column, levels), self.estimation)

    def table_given(
        self, place: str, name: str
    ) -> tuple[Mapping[str, Any], dict[str, Mapping[str, Any]]]:
        """What the file says of a table, and of its columns by their names."""
        tables = {key.lower().removeprefix("t"): one for key, one in self.raw["tables"].items()}
        wanted = name.lower().removeprefix("t")
        if wanted not in tables:
            raise PaperError(f"{place}: no table {name!r}. {nearest(wanted, tables)}")
        listed = enumerate(tables[wanted].get("columns", [{}]), start=1)
        return tables[wanted], {str(one.get("column", at)): one for at, one in listed}

    def check_printed(self, tables: Mapping[str, Table]) -> None:
        """Every printed number has a column, and stands in a row that is mapped or said in text."""
        for at, cell in enumerate(self.published.to_dict("records"), start=2):
            table = tables.get(cell["table"])
            if table is None:
                continue
            column = table.columns.get(cell["column"])
            place = f"table {cell['table']}, column {cell['column']}, {cell['row']}"
            if column is None or (cell["row"] not in column.rows and not column.reason):
                raise PaperError(
                    f"{self.file.parent / 'published.csv'}, line {at}: {place} does not fit"
                    f" paper.toml: no such {'column' if column is None else 'row under rows'}."
                )

    def table(self, name: str, given: Mapping[str, Any]) -> Table:
        place = f"{self.file}, [tables.{name}]"
        columns = given.get("columns", [{}])
        above = [self.raw.get("defaults", {}), given]
        keys.check_keys(place, "table", given, self.estimators([*above, *columns]))
        if not isinstance(columns, list) or "title" not in given:
            raise PaperError(f"{place}: a title, and columns as [[tables.{name}.columns]].")
        levels = self.levels(place, given)
        made: dict[str, Column] = {}
        for at, one in enumerate(columns, start=1):
            column = self.column(f"{place}, column {one.get('column', at)}", levels, one, at, made)
            if column.name in made:
                raise PaperError(f"{place}: two columns are called {column.name!r}.")
            made[column.name] = column
        for column in made.values():
            for of in {one.of for places in column.rows.values() for one in places if one.of}:
                if of not in made:
                    raise PaperError(f"{place}: no column {of!r}. {nearest(of, made)}")
        bracket = given.get("bracket", "se")
        if bracket not in BRACKETS:
            raise PaperError(f"{place}: bracket = {bracket!r}; there are {', '.join(BRACKETS)}.")
        number = name.lower().removeprefix("t")
        rows = self.row_order(number, given, made)
        note = " ".join(filter(None, [str(level.get("note", "")) for level in levels]))
        return Table(number, given["title"], made, rows, bracket, given.get("text", {}), note)

    def row_order(
        self, table: str, given: Mapping[str, Any], columns: Mapping[str, Column]
    ) -> tuple[str, ...]:
        """Rows as printed, then those that a specification adds."""
        printed = self.published.loc[self.published["table"] == table, "row"]
        if len(printed):
            return tuple(dict.fromkeys(printed))
        own = [given.get("rows", {}), *(one.get("rows", {}) for one in given.get("columns", []))]
        order = list(dict.fromkeys(row for rows in own for row in rows))
        shown = {column.rows[row] for column in columns.values() for row in order}
        for column in columns.values():
            for row, places in column.rows.items():
                if row not in order and places not in shown:  # else it stands there by another name
                    order.append(row)
                    shown.add(places)
        return tuple(order)

    def figure(self, name: str, given: Mapping[str, Any]) -> Figure:
        place = f"{self.file}, [figures.{name}]"
        levels = self.levels(place, given)
        keys.check_keys(place, "figure", given, self.estimators(levels))
        if "title" not in given or "kind" not in given:
            raise PaperError(f"{place}: a title and a kind are needed.")
        curves = given["kind"] == "curves"
        reason = str(_latest(levels, "reason") or "")
        estimation = None if reason or curves else self.estimation(place, levels)
        return Figure(
            name, given["title"], given["kind"], estimation, reason, given.get("draw", {}),
            str(given.get("note", "")),
        )  # fmt: skip

    def levels(self, place: str, given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """What holds above a column, the general first."""
        found: list[Mapping[str, Any]] = []
        for level, where in ((self.raw, f"{self.file}, the file"), (given, place)):
            for variant, parts in level.get("variants", {}).items():
                self.variants.add(variant)
                known = self.estimators([self.raw.get("defaults", {}), given, parts])
                keys.check_keys(f"{where}, variant {variant}", "variant", parts, known)
        own = self.raw.get("defaults", {})
        everywhere = [own, *_levels_below(self.raw)]
        keys.check_keys(f"{self.file}, [defaults]", "defaults", own, self.estimators(everywhere))
        defaults = {key: self.raw[key] for key in ("years", "panel", "rows") if key in self.raw}
        found.append(defaults | own)
        found += [self.raw["variants"][self.variant]] if self._varies(self.raw) else []
        found.append(given)
        found += [given["variants"][self.variant]] if self._varies(given) else []
        return found

    def _varies(self, level: Mapping[str, Any]) -> bool:
        return self.variant in level.get("variants", {})

    def estimators(self, levels: Sequence[Mapping[str, Any]]) -> list[str]:
        return [level["estimator"] for level in levels if "estimator" in level]

    def column(
        self,
        place: str,
        above: Sequence[Mapping[str, Any]],
        given: Mapping[str, Any],
        at: int,
        before: Mapping[str, Column],
    ) -> Column:
        levels = [*above, given]
        keys.check_keys(place, "column", given, self.estimators(levels)[-1:])
        for variant, parts in given.get("variants", {}).items():
            self.variants.add(variant)
            known = self.estimators([*levels, parts])
            keys.check_keys(f"{place}, variant {variant}", "variant", parts, known)
        levels += [given["variants"][self.variant]] if self._varies(given) else []
        source = str(given.get("from", ""))
        if source and source not in before:
            hint = nearest(source, before) if before else "None stands before it."
            raise PaperError(f"{place}: from = {source!r} is no column before it. {hint}")
        reason = str(_latest(levels, "reason") or "")
        runs = not (reason or source)
        return Column(
            name=str(given.get("column", at)),
            head=str(given.get("head", "")),
            block=str(given.get("block", "")),
            estimation=self.estimation(place, levels) if runs else None,
            reason=reason or (before[source].reason if source else ""),
            taken_from=source,
            equation=str(_latest(levels, "equation") or ""),
            rows=self.rows(place, levels),
            note=str(given.get("note", "")),
        )

    def rows(self, place: str, levels: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Place, ...]]:
        joined: dict[str, Any] = {}
        for level in levels:
            joined |= level.get("rows", {})
        return {row: tuple(_places(f"{place}, row {row}", given)) for row, given in joined.items()}

    def estimation(self, place: str, levels: Sequence[Mapping[str, Any]]) -> Estimation:
        """What the levels say together, checked by what the estimator takes."""
        said: dict[str, Any] = {}
        arguments: dict[str, Any] = {}
        for level in levels:
            said |= {key: value for key, value in level.items() if key in keys.ESTIMATE}
            if "estimator" not in said:  # whose arguments these are is said further down
                arguments |= {key: level[key] for key in level if key not in _ANY}
                continue
            arguments = _joined(place, said["estimator"], arguments, level)
        for needed in ("estimator", "panel"):
            if needed not in said:
                raise PaperError(f"{place}: no {needed} is named, here or above.")
        keys.check_arguments(place, said["estimator"], arguments)
        if said.get("where"):
            _within(place, parse, said["where"])
        steps = tuple(said.get("prepare", ()))
        _within(place, check_steps, steps)
        return Estimation(
            panel=said["panel"],
            years=_years(place, said.get("years")),
            where=said.get("where") or None,
            join=tuple(said.get("join", ())),
            prepare=steps,
            estimator=said["estimator"],
            arguments=arguments,
            then=tuple(_followers(place, said.get("then", ()))),
        )


_ANY = set().union(*(keys.LEVELS[level] for level in ("table", "column", "figure", "paper")))


def _joined(
    place: str, estimator: str, above: Mapping[str, Any], level: Mapping[str, Any]
) -> dict[str, Any]:
    """Arguments of the levels above and of this one. What an estimator that is replaced was given,
    and the new one does not take, falls away; what this level says itself is checked later."""
    known = keys.entry_of(estimator).options
    kept = {key: value for key, value in above.items() if key in known}
    own = {key: value for key, value in level.items() if key not in _ANY}
    inner = {}
    for key, value in level.get("options", {}).items():
        if key in known:
            own[key] = value
        elif keys.has_mapping_of_options(estimator):
            inner[key] = value
        else:
            raise PaperError(f"{place}, options: {estimator} has no {key!r}. {nearest(key, known)}")
    if inner:
        own["options"] = {**kept.get("options", {}), **own.get("options", {}), **inner}
    return kept | own


def _levels_below(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every table, figure and column, whose estimators [defaults] may speak to."""
    for given in [*raw.get("tables", {}).values(), *raw.get("figures", {}).values()]:
        yield given
        yield from given.get("columns", [])


def _followers(place: str, given: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for one in [given] if isinstance(given, Mapping) else given:
        if "estimator" not in one:
            raise PaperError(f"{place}, then: no estimator is named.")
        arguments = {key: value for key, value in one.items() if key != "estimator"}
        keys.check_arguments(f"{place}, then", one["estimator"], arguments)
        yield one["estimator"], arguments


def _places(place: str, given: Any) -> Iterator[Place]:
    """Where a row's number may be found: one place or several, the first that is there counts."""
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, str):
            yield Place(term=one)
        elif isinstance(one, Mapping):
            keys.check_keys(place, "row", one)
            yield Place(**{key: str(value) for key, value in one.items()})
        else:
            raise PaperError(f"{place}: {one!r} is no term and no mapping of term, statistic, ...")


def _latest(levels: Sequence[Mapping[str, Any]], key: str) -> Any:
    return next((level[key] for level in reversed(levels) if key in level), None)


def _years(place: str, given: Any) -> tuple[int, int] | None:
    if not given:
        return None
    if len(given) != 2 or not all(isinstance(year, int) for year in given) or given[0] > given[1]:
        raise PaperError(f"{place}: years = {given!r}; write [2003, 2011].")
    return given[0], given[1]


def _within(place: str, work: Any, given: Any) -> None:
    """Run a check; what it refuses is said with the place."""
    try:
        work(given)
    except PaperError as error:
        raise PaperError(f"{place}: {error}") from None
