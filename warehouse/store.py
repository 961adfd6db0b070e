"""The published warehouse, for readers: open it, read a panel, describe its columns, list releases.

A reader resolves `current` once, when it opens; a refresh that publishes meanwhile changes nothing
under it.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.errors import CitytradeError, ReleaseError
from warehouse.query.connection import ReadingConnection, open_release
from warehouse.releases.publish import (
    DATABASE,
    current_release,
    named_release,
    read_manifest,
    release_names,
    unknown_release,
)
from warehouse.settings.config import Config, load_config

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import pyarrow as pa

    ConfigLike = Config | str | os.PathLike[str] | None

INTEGERS = {
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "HUGEINT",
}
# What a dictionary tells of a column, in the order in which it is shown.
TOLD = ("unit", "label_en", "label_zh", "definition", "definition_zh")


def as_config(config: ConfigLike) -> Config:
    """A configuration, from one already read, from a file's path, or the one in force."""
    return config if isinstance(config, Config) else load_config(config)


def release_folder(config: ConfigLike = None, release: str | None = None) -> Path:
    """The folder of a release, free of links, or of the current one.

    Raises
    ------
    ReleaseError : nothing is published yet, or no release has that name.
    """
    settings = as_config(config)
    folder = (
        settings.builds / release
        if release is not None
        else Path(os.path.realpath(settings.current))
    )
    if (folder / DATABASE).is_file():
        return folder
    if release is None:
        raise ReleaseError(f"Nothing is published in {settings.home} yet: run `citytrade refresh`.")
    raise unknown_release(settings.home, release)


def connect(
    config: ConfigLike = None, release: str | None = None, memory: str | None = None
) -> ReadingConnection:
    """A read-only connection to a whole release; names without a schema find panels first.

    SQL in it can neither write nor reach files or the network, nor change how the connection works.

    Parameters
    ----------
    memory : what its queries may take together, such as "2GB"; they then fail instead of taking
        more, and write nothing to the disk
    """
    return ReadingConnection(open_release(release_folder(config, release), memory))


def panels(config: ConfigLike = None, release: str | None = None) -> pd.DataFrame:
    """The published panels: panel, grain, rows, first_year, last_year, description."""
    with connect(config, release) as connection:
        return _frame(
            connection,
            "select panel, grain, rows_n as rows, first_year, last_year, description from"
            " meta.panels",
            order="panel",
        )


def panel(
    name: str,
    years: int | tuple[int, int] | None = None,
    columns: Iterable[str] | None = None,
    config: ConfigLike = None,
    release: str | None = None,
) -> pd.DataFrame:
    """A panel, its keys first and in the keys' order, sorted by them.

    Parameters
    ----------
    name : as in `panels()`
    years : one year, or (first, last), both included
    columns : the columns wanted besides the keys; all if not given

    Returns
    -------
    DataFrame : codes and names as text, counts and years as integers (Int64 where some are
        missing), decimals as float.
        attrs: panel, release, simulated, columns = {column: {unit, label_en, label_zh, definition,
        definition_zh}}

    Raises
    ------
    CitytradeError : an unknown panel or column (the nearest names are given), years for a panel
        without them.
    """
    folder = release_folder(config, release)
    with ReadingConnection(open_release(folder)) as connection:
        keys = _keys(connection, name)
        known = _columns(connection, name)
        chosen = _chosen(name, keys, list(known), columns)
        frame = _frame(
            connection,
            f'select {_list(chosen)} from main."{name}"{_between(name, years, known)}',
            order=_list(keys),
        )
        frame.attrs = {
            "panel": name,
            "release": folder.name,
            "simulated": _value(connection, "select is_simulated from meta.releases where is_this"),
            "columns": _labels(connection, chosen),
        }
    return frame


def describe(name: str, config: ConfigLike = None, release: str | None = None) -> pd.DataFrame:
    """A panel's columns: dtype, unit, labels, definitions, source, share of rows that have a value,
    least and greatest value.

    Raises
    ------
    CitytradeError : an unknown panel; the nearest names are given.
    """
    with connect(config, release) as connection:
        _keys(connection, name)
        known = _columns(connection, name)
        told = ", ".join(f"d.{part}" for part in _told(connection))
        parts = [
            f"select {at} as place, '{column}' as column_name, '{kind.lower()}' as dtype,"
            f' count("{column}") / nullif(count(*), 0) as non_null_share, '
            f'min("{column}")::varchar as minimum, max("{column}")::varchar as maximum from'
            f' main."{name}"'
            for at, (column, kind) in enumerate(known.items())
        ]
        return _frame(
            connection,
            f"with measured as ({' union all '.join(parts)}) select m.place, m.column_name,"
            f" m.dtype, {told}, d.source, m.non_null_share, m.minimum, m.maximum from measured m"
            " left join meta.dictionary d using (column_name)",
            order="place",
        ).drop(columns="place")


def citations(name: str, config: ConfigLike = None, release: str | None = None) -> pd.DataFrame:
    """What to cite beside citytrade for a panel: every source that it is made from and that this
    release was given, with title, publisher, citation, licence, years and whether it is simulated.

    Returns
    -------
    DataFrame : a row a source; attrs: panel, release, simulated

    Raises
    ------
    CitytradeError : an unknown panel; the nearest names are given.
    ReleaseError : a release from before panels named their sources.
    """
    folder = release_folder(config, release)
    with ReadingConnection(open_release(folder)) as connection:
        _keys(connection, name)
        if "sources" not in _columns(connection, "panels", "meta"):
            raise ReleaseError(
                f"Release {folder.name} is from before panels named their sources. `citytrade"
                " refresh` publishes one that does; `from meta.sources` has every citation."
            )
        frame = _frame(
            connection,
            "select s.source, s.title, s.publisher, s.citation, s.licence, s.first_year,"
            " s.last_year, s.is_simulated from meta.sources s where s.files_n > 0 and s.source in"
            " (select unnest(string_split(sources, ', ')) from meta.panels"
            f" where panel = '{name}')",
            order="source",
        )
        is_simulated = _value(connection, "select is_simulated from meta.releases where is_this")
        frame.attrs = {"panel": name, "release": folder.name, "simulated": is_simulated}
    return frame


def releases(config: ConfigLike = None) -> pd.DataFrame:
    """The releases on disk, newest first: release, created_at, is_current, is_simulated, files,
    previous.
    """
    import pandas as pd

    home = as_config(config).home
    current = current_release(home)
    manifests = [read_manifest(home, name) for name in reversed(release_names(home))]
    names = ["release", "created_at", "is_current", "is_simulated", "files", "previous"]
    rows = [
        [m.release, m.created_at, m.release == current, m.is_simulated, len(m.loads), m.previous]
        for m in manifests
    ]
    return pd.DataFrame(rows, columns=names)


def diff(old: str = "previous", new: str = "current", config: ConfigLike = None) -> pd.DataFrame:
    """What changed in the panels from one release to another; see `warehouse.releases.diff.compare`
    for the columns.

    Parameters
    ----------
    old, new : releases by name, by the beginning of their name, or as `previous` and `current`

    Raises
    ------
    ReleaseError : no such release.
    """
    from warehouse.releases.diff import compare

    settings = as_config(config)
    folders = [release_folder(settings, named_release(settings.home, name)) for name in (old, new)]
    frame = compare(*folders)
    frame.attrs = {"old": folders[0].name, "new": folders[1].name}
    return frame


def _keys(connection: ReadingConnection, name: str) -> list[str]:
    grains = dict(connection.execute("select panel, grain from meta.panels").fetchall())
    if name not in grains:
        raise CitytradeError(f"There is no panel {name!r}. {_nearest(name, grains)}")
    keys = grains[name].split(", ")
    return [*(key for key in keys if key != "year"), *(key for key in keys if key == "year")]


def _columns(connection: ReadingConnection, name: str, schema: str = "main") -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f'describe {schema}."{name}"').fetchall()}


def _chosen(
    name: str, keys: list[str], known: list[str], columns: Iterable[str] | None
) -> list[str]:
    wanted = known if columns is None else [columns] if isinstance(columns, str) else list(columns)
    for column in wanted:
        if column not in known:
            raise CitytradeError(
                f"Panel {name} has no column {column!r}. {_nearest(column, known)}"
            )
    return [*keys, *(column for column in dict.fromkeys(wanted) if column not in keys)]


def _between(name: str, years: int | tuple[int, int] | None, known: dict[str, str]) -> str:
    if years is None:
        return ""
    if "year" not in known:
        raise CitytradeError(f"Panel {name} has no years. Leave `years` out.")
    first, last = (years, years) if isinstance(years, int) else tuple(years)
    if int(first) > int(last):
        raise CitytradeError(
            f"years = ({first}, {last}) are in the wrong order. Give the first year first."
        )
    return f" where year between {int(first)} and {int(last)}"


def _told(connection: ReadingConnection) -> list[str]:
    """What a release's dictionary tells of a column. A release from before definitions were in
    Chinese has no definition_zh.
    """
    there = _columns(connection, "dictionary", "meta")
    return [part for part in TOLD if part in there]


def _labels(connection: ReadingConnection, chosen: list[str]) -> dict[str, dict[str, str]]:
    parts = _told(connection)
    rows = connection.execute(f"select column_name, {_list(parts)} from meta.dictionary").fetchall()
    found = {row[0]: dict(zip(parts, row[1:], strict=True)) for row in rows}
    return {column: found[column] for column in chosen if column in found}


def _frame(connection: ReadingConnection, query: str, order: str) -> pd.DataFrame:
    kinds = {row[0]: row[1] for row in connection.execute(f"describe {query}").fetchall()}
    casts = ", ".join(
        f'"{name}"::{_target(kind)} as "{name}"' if _target(kind) else f'"{name}"'
        for name, kind in kinds.items()
    )
    table = connection.execute(f"select {casts} from ({query}) order by {order}").to_arrow_table()
    return frame_of(table)


def frame_of(table: pa.Table) -> pd.DataFrame:
    """An Arrow table in the types that `panel` gives: Int64 and boolean only where some values are
    missing.
    """
    import pandas as pd
    import pyarrow as pa

    frame = table.to_pandas(
        types_mapper={
            pa.int64(): pd.Int64Dtype(),
            pa.bool_(): pd.BooleanDtype(),
            pa.string(): pd.StringDtype(na_value=float("nan")),
        }.get
    )
    for name in frame.columns:
        if str(frame[name].dtype) in ("Int64", "boolean") and not frame[name].isna().any():
            frame[name] = frame[name].astype(
                "int64" if str(frame[name].dtype) == "Int64" else "bool"
            )
    return frame


def _target(kind: str) -> str | None:
    if kind in INTEGERS:
        return "bigint"
    return "double" if kind.startswith("DECIMAL") or kind == "FLOAT" else None


def _value(connection: ReadingConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]


def _list(columns: list[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    return f"Nearest: {', '.join(near)}." if near else f"There are: {', '.join(names)}."
