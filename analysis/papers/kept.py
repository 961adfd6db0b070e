"""Estimates kept as rows beside the releases: a DuckDB file a release, which SQL can read, and from
which an estimate is taken again while nothing that it rests on has changed.

    data/estimates/<release>.duckdb   schema estimates, table estimates: release, world, paper,
        variant, table_name, column_name, kind (term, statistic, note, warning, reason), equation,
        term, estimate, std_error, statistic, p_value, conf_low, conf_high, text, key

A file is replaced in one step; the release itself is never touched.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

import analysis.estimators
from analysis.estimators.core.result import TIDY
from analysis.papers.declared import Estimation
from analysis.papers.estimate import Estimate, panels_of
from analysis.papers.published import FOLDER, PaperError
from analysis.papers.release import Release
from warehouse.query.connection import estimates_file

KEPT_RELEASES = 5
NUMBERS = list(TIDY[2:])
COLUMNS = ["release", "world", "paper", "variant", "table_name", "column_name", "kind"]
COLUMNS += ["equation", "term", *NUMBERS, "text", "key"]
CODE = ("estimate.py", "prepare.py", "where.py", "plain.py", "release.py", "keys.py")
Address = tuple[str, str, str, str]  # paper, variant, table, column


def key_of(release: Release, asked: Estimation) -> str:
    """What an estimate rests on: its specification, the contents of its panels, and the code."""
    said = json.dumps(asdict(asked), sort_keys=True, ensure_ascii=False)
    parts = [said, *release.hash_of(panels_of(asked)), _code()]
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()[:16]


class Kept:
    """The estimates of one release; those of earlier releases are looked at for the same keys."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.file = estimates_file(release.config.home, release.name)
        self.folder = self.file.parent
        self._here = _read(self.file)
        files = sorted(self.folder.glob("*.duckdb"), reverse=True)
        self._earlier = [file for file in files if file != self.file]
        self._places: dict[str, tuple[pd.DataFrame, np.ndarray]] | None = None

    def find(self, key: str) -> Estimate | None:
        """An estimate that rests on the same, if one is kept."""
        if self._places is None:
            self._places = {}
            for frame in [self._here, *self._before]:
                for name, at in frame.groupby("key", sort=False).indices.items():
                    self._places.setdefault(str(name), (frame, np.asarray(at)))
        if key not in self._places:
            return None
        frame, at = self._places[key]
        return _estimate(frame.iloc[at])

    @cached_property
    def _before(self) -> list[pd.DataFrame]:
        """What is kept of earlier releases."""
        return [_read(file) for file in self._earlier]

    def put(self, found: Mapping[Address, tuple[str, Estimate]]) -> None:
        """Keep estimates; those of the same place are replaced.

        Raises
        ------
        PaperError : the folder cannot be written.
        """
        world = "simulated" if self.release.is_simulated else "real"
        new = [
            row
            for place, (key, estimate) in found.items()
            for row in _rows((self.release.name, world, *place), key, estimate)
        ]
        frame = pd.DataFrame(new, columns=COLUMNS)
        places = ["paper", "variant", "table_name", "column_name"]
        replaced = pd.MultiIndex.from_frame(self._here[places]).isin(list(found))
        frame = pd.concat([self._here[~replaced], frame], ignore_index=True)
        try:
            _write(self.file, frame)
            for file in sorted(self.folder.glob("*.duckdb"))[:-KEPT_RELEASES]:
                file.unlink(missing_ok=True)
        except OSError as error:
            raise PaperError(f"{self.file} cannot be written: {error.strerror}.") from error
        self._here, self._places = frame, None


def _read(file: Path) -> pd.DataFrame:
    if file.is_file():
        try:
            with duckdb.connect(str(file), read_only=True) as connection:
                frame = connection.execute("select * from estimates.estimates").df()
        except duckdb.Error:  # of another version, or half of one: it is made again
            return pd.DataFrame(columns=COLUMNS)
        if list(frame.columns) == COLUMNS:
            return frame
    return pd.DataFrame(columns=COLUMNS)


def _write(file: Path, frame: pd.DataFrame) -> None:
    """A new file takes the old one's place in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    typed = ", ".join(
        f"{name}::{'double' if name in NUMBERS else 'varchar'} as {name}" for name in COLUMNS
    )
    try:
        with duckdb.connect(str(new)) as connection:
            connection.execute("create schema estimates")
            connection.register("frame", frame)
            connection.execute(
                f"create table estimates.estimates as select {typed} from frame order by all"
            )
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _rows(place: tuple[str, ...], key: str, estimate: Estimate) -> Iterable[list[Any]]:
    nothing = [np.nan] * (len(NUMBERS) - 1)
    for row in estimate.terms.itertuples(index=False):
        yield [*place, "term", *row, "", key]
    for name, value in estimate.statistics.items():
        yield [*place, "statistic", "", name, value, *nothing, "", key]
    texts = [("note", "", estimate.note), ("reason", "", estimate.reason)]
    texts += [("warning", kind, sentence) for kind, sentence in estimate.warnings]
    for kind, name, text in texts:
        if text:
            yield [*place, kind, "", name, np.nan, *nothing, text, key]


def _estimate(rows: pd.DataFrame) -> Estimate:
    """An estimate from its rows; those of several places are the same ones."""
    first = rows.drop_duplicates(["kind", "equation", "term", "text"])
    kinds = {str(kind): part for kind, part in first.groupby("kind", sort=False)}
    none = first.iloc[:0]
    statistics = kinds.get("statistic", none)
    texts = {
        kind: " ".join(kinds.get(kind, none)["text"].astype(str)) for kind in ("note", "reason")
    }
    warned = kinds.get("warning", none)
    return Estimate(
        terms=kinds.get("term", none)[list(TIDY)].reset_index(drop=True),
        statistics=dict(zip(statistics["term"], statistics["estimate"], strict=True)),
        note=texts["note"],
        warnings=tuple(zip(warned["term"], warned["text"], strict=True)),
        reason=texts["reason"],
    )


@cache
def _code() -> str:
    """A hash of the estimators and of what prepares their rows."""
    digest = hashlib.sha256()
    folder = Path(next(iter(analysis.estimators.__path__)))
    for file in [*sorted(folder.rglob("*.py")), *(FOLDER / name for name in CODE)]:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
