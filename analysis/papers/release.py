"""A release as papers read it: columns of panels (or of any table of it), spatial weights, and the
truth of a simulated world.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from analysis.estimators import SpatialWeights, spatial_weights
from analysis.papers.published import PaperError, nearest
from warehouse.query.connection import ReadingConnection
from warehouse.releases.publish import read_manifest
from warehouse.settings.config import Config
from warehouse.store import as_config, connect, panel, release_folder

WEIGHTS = ("contiguity", "inverse_distance", "k_nearest")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
Connection = duckdb.DuckDBPyConnection | ReadingConnection


class Release:
    """One release; what was read is kept, so that a panel is read once for all its tables.

    Attributes
    ----------
    name, is_simulated : of the release
    contents : schema.table -> hash of its rows
    """

    def __init__(self, config: Any = None, release: str | None = None) -> None:
        self.config: Config = as_config(config)
        self.name = release_folder(self.config, release).name
        manifest = read_manifest(self.config.home, self.name)
        self.is_simulated = manifest.is_simulated
        self.created = datetime.fromisoformat(manifest.created_at).replace(tzinfo=UTC)
        self.contents = {name: str(found[1]) for name, found in manifest.tables.items()}
        self._frames: dict[str, pd.DataFrame] = {}
        self._expected: dict[str, set[str]] = {}
        self._columns: dict[str, list[str]] = {}
        self._weights: dict[str, SpatialWeights] = {}
        with self.connection() as connection:
            self._grains = dict(
                connection.execute("select panel, grain from meta.panels").fetchall()
            )

    def connection(self) -> ReadingConnection:
        return connect(self.config, self.name)

    def columns(self, name: str) -> list[str]:
        """Columns of a panel, or of schema.table.

        Raises
        ------
        PaperError : no such panel or table; the nearest is named.
        """
        if name in self._columns:
            return self._columns[name]
        schema, table = self._place(name)
        with self.connection() as connection:
            found = connection.execute(
                "select column_name from information_schema.columns where table_schema = ? and"
                " table_name = ? order by ordinal_position",
                [schema, table],
            ).fetchall()
        if not found:
            known = [*self._grains, *self.contents]
            raise PaperError(f"This release has no panel {name!r}. {nearest(name, known)}")
        self._columns[name] = [row[0] for row in found]
        return self._columns[name]

    def units(self, name: str) -> list[str]:
        """Keys of a panel other than its year; of a table that is no panel the city, if it has
        one.
        """
        if name not in self._grains:
            return ["city_code"] if "city_code" in self.columns(name) else []
        return [key for key in self._grains[name].split(", ") if key != "year"]

    def expect(self, name: str, wanted: Iterable[str]) -> None:
        """Columns that will be wanted: they are read together with the first."""
        self._expected.setdefault(name, set()).update(wanted)

    def frame(self, name: str, wanted: Iterable[str]) -> pd.DataFrame:
        """A panel with its keys and the columns wanted (those that it has)."""
        there = self._frames.get(name)
        asked = {*wanted, *self._expected.get(name, ())}
        kept = {*asked, *self.units(name), "year"}
        columns = [column for column in self.columns(name) if column in kept]
        if there is None or not set(columns) <= set(there.columns):
            before = [] if there is None else list(there.columns)
            self._frames[name] = self._read(name, [*before, *columns])
        return self._frames[name]

    def weights(self, kind: str) -> SpatialWeights:
        """Who neighbours whom, over all cities of the release.

        Raises
        ------
        PaperError : an unknown kind, or a release without these weights.
        """
        if kind not in self._weights:
            with self.connection() as connection:
                self._weights[kind] = warehouse_weights(connection, kind)
        return self._weights[kind]

    def hash_of(self, names: Sequence[str]) -> list[str]:
        """What the tables hold, for a key of an estimate."""
        return [self.contents.get(".".join(self._place(name)), self.name) for name in names]

    def truths(self, slug: str) -> Mapping[str, Mapping[str, Any]]:
        """The simulated world's headline numbers of a paper; none in a real one, and none where
        the world was written again after the release: they would be another world's.
        """
        settings = getattr(self.config, "simulate", None)
        if not self.is_simulated or settings is None:
            return {}
        file = Path(settings.directory) / "truth.json"
        if not file.is_file() or file.stat().st_mtime > self.created.timestamp():
            return {}
        found: Mapping[str, Mapping[str, Any]] = _headlines(file, file.stat().st_mtime_ns).get(
            slug, {}
        )
        return found

    def _place(self, name: str) -> tuple[str, str]:
        schema, _, table = name.rpartition(".")
        if not NAME.fullmatch(table) or (schema and not NAME.fullmatch(schema)):
            raise PaperError(f"{name!r} is no name of a panel, and no schema.table.")
        return schema or "main", table

    def _read(self, name: str, columns: Sequence[str]) -> pd.DataFrame:
        if name in self._grains:
            return panel(name, columns=columns, config=self.config, release=self.name)
        schema, table = self._place(name)
        listed = ", ".join(f'"{column}"' for column in dict.fromkeys(columns))
        if not listed:
            raise PaperError(f"{name}: none of its columns is named.")
        with self.connection() as connection:
            return connection.execute(
                f'select {listed} from "{schema}"."{table}" order by all'
            ).df()


@lru_cache(maxsize=1)
def _headlines(file: Path, written: int) -> Mapping[str, Any]:
    """Those of all papers, of a file that takes a second to read; `written` is its time."""
    told: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    headlines: Mapping[str, Any] = told.get("headlines", {})
    return headlines


def warehouse_weights(connection: Connection, kind: str = "contiguity") -> SpatialWeights:
    """The weights of int_spatial__<kind> over all cities of the spine; a city without a neighbour
    is kept with a lag of zero.

    Parameters
    ----------
    connection : to a release, as `warehouse.connect` gives it

    Raises
    ------
    PaperError : an unknown kind, or a release without these weights.
    """
    if kind not in WEIGHTS:
        raise PaperError(f"There are no weights {kind!r}. There are: {', '.join(WEIGHTS)}.")
    there = connection.execute(
        "select table_name from information_schema.tables where table_schema = 'intermediate'"
    ).fetchall()
    if (f"int_spatial__{kind}",) not in there:
        raise PaperError(f"This release has no int_spatial__{kind}: run `citytrade refresh`.")
    pairs = connection.execute(
        f"select city_code, neighbour_code, weight from intermediate.int_spatial__{kind} order"
        " by all"
    ).df()
    cities = connection.execute("select city_code from seeds.cities order by city_code").fetchall()
    units = [row[0] for row in cities]
    return spatial_weights(pairs, units=units, weight="weight", normalise="row", islands="keep")
