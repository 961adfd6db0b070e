"""What the pages say of a release, asked of the release itself and of nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from warehouse.query.connection import ReadingConnection
from warehouse.releases.meta import is_stale
from warehouse.releases.publish import Manifest, read_manifest
from warehouse.settings.config import Config
from warehouse.store import connect, panel, release_folder

Rows = list[dict[str, Any]]
# Marks of a source, worst first: what a reader must see before he uses a number.
TROUBLE = ("failed", "held", "stale", "not_configured")


class Facts:
    """One release, and answers about it.

    Attributes
    ----------
    release, folder, manifest : of the release that was current when this was made
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.folder: Path = release_folder(config)
        self.release = self.folder.name
        self.manifest: Manifest = read_manifest(config.home, self.release)
        self._connection: ReadingConnection = connect(config, self.release)

    def __enter__(self) -> Facts:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.__exit__(None, None, None)

    @property
    def is_simulated(self) -> bool:
        return self.manifest.is_simulated

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> Rows:
        """A query's rows as mappings; decimals are floats."""
        cursor = self._connection.execute(query, list(parameters))
        names = [column[0] for column in cursor.description or []]
        return [
            {
                name: float(value) if isinstance(value, Decimal) else value
                for name, value in zip(names, row, strict=True)
            }
            for row in cursor.fetchall()
        ]

    def has(self, schema: str, table: str) -> bool:
        """Whether the release has a table; one without sources may lack some."""
        return bool(
            self.rows(
                "select 1 from information_schema.tables where table_schema = ? and table_name = ?",
                [schema, table],
            )
        )

    @cached_property
    def sources(self) -> Rows:
        """The sources, with `mark`: failed, held, stale, not_configured or loaded."""
        found = self.rows("from meta.sources order by source")
        for row in found:
            stale = row["status"] == "loaded" and is_stale(row["message"] or "")
            row["mark"] = "stale" if stale else row["status"]
        return found

    @cached_property
    def panels(self) -> Rows:
        """The panels by name, with `keys` as columns and `sources` that they stand on."""
        return [
            {
                "name": row["panel"],
                "keys": row["grain"].split(", "),
                "rows": row["rows_n"],
                "first_year": row["first_year"],
                "last_year": row["last_year"],
                "description": row["description"] or "",
                # a release from before panels named their sources has none to show
                "sources": list(filter(None, (row.get("sources") or "").split(", "))),
            }
            for row in self.rows("from meta.panels order by panel")
        ]

    def panel(self, name: str) -> pd.DataFrame:
        """A panel as `warehouse.panel` gives it."""
        return panel(name, config=self.config, release=self.release)

    @cached_property
    def cities(self) -> Rows:
        """The cities of the spine: code, names, province, position; none in a release without
        them.
        """
        if not self.has("seeds", "cities"):
            return []
        return self.rows(
            "select city_code, city_name_zh, city_name_en, province_name_zh, province_name_en,"
            " longitude, latitude from seeds.cities order by city_code"
        )
