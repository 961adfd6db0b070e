"""The same rows twice in one source are refused, whatever the files are called; rows that only look
alike are not.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from flows.refresh.reading import Reader
from warehouse.errors import SourceError
from warehouse.lake import loads as lake_module
from warehouse.lake.loads import LoadReport, activate, sql_text
from warehouse.lake.schema import Tables
from warehouse.settings.config import Config
from warehouse.sources import get_source, lake_tables
from warehouse.sources.reading.loading import load_file


def read(lake: Path, files: list[Path]) -> None:
    with Reader(lake, lambda text: None) as reader:
        reader.read("geography", files, {})


@pytest.fixture
def neighbours(small_release: Config) -> str:
    """A file of city neighbours, as the small world has it."""
    world = small_release.home.parent / "world" / "geography"
    return next(file for file in sorted(world.glob("*.csv")) if "adjac" in file.name).read_text(
        encoding="utf-8"
    )


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_one_file_in_two_folders_is_refused(tmp_path: Path, neighbours: str) -> None:
    files = [write(tmp_path / folder / "pairs.csv", neighbours) for folder in ("north", "south")]
    with pytest.raises(
        SourceError,
        match=(
            r"south/pairs.csv: holds the same bytes as north/pairs.csv. Name one of them in the "
            r"configuration"
        ),
    ):
        read(tmp_path / "lake", files)


def test_the_same_bytes_under_two_names_are_refused(tmp_path: Path, neighbours: str) -> None:
    files = [write(tmp_path / name, neighbours) for name in ("pairs.csv", "pairs (1).csv")]
    with pytest.raises(SourceError, match=r"pairs \(1\).csv: holds the same bytes as pairs.csv"):
        read(tmp_path / "lake", files)


def test_a_copy_with_a_blank_last_line_or_in_another_order_is_refused(
    tmp_path: Path, neighbours: str
) -> None:
    header, *lines = neighbours.splitlines()
    for at, changed in enumerate((neighbours + "\n", "\n".join([header, *reversed(lines)]) + "\n")):
        files = [
            write(tmp_path / "pairs.csv", neighbours),
            write(tmp_path / f"copy{at}.csv", changed),
        ]
        with pytest.raises(SourceError, match=f"copy{at}.csv: holds the same rows as pairs.csv"):
            read(tmp_path / "lake", files)


def test_as_many_other_rows_are_no_copy(tmp_path: Path, neighbours: str) -> None:
    header, *lines = neighbours.splitlines()
    half = len(lines) // 2
    files = [
        write(tmp_path / "a.csv", "\n".join([header, *lines[:half]])),
        write(tmp_path / "b.csv", "\n".join([header, *lines[half : 2 * half]])),
    ]
    read(tmp_path / "lake", files)


@pytest.mark.parametrize("name", ["o'brien", "a [1]"])
def test_a_lake_in_a_folder_of_any_name(tmp_path: Path, neighbours: str, name: str) -> None:
    lake = tmp_path / name / "lake"
    report, _ = load_file(
        get_source("geography"), write(tmp_path / name / "pairs.csv", neighbours), lake
    )
    set_id = activate(lake, [report], lake_tables())
    table = next(iter(report.tables))
    file = lake / "sets" / set_id / table / f"{report.load_id}.parquet"
    assert duckdb.sql(f"select count(*) from read_parquet({sql_text(file)})").fetchone() == (
        report.accepted_n,
    )


def test_a_set_that_cannot_be_linked_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(lake: Path, building: Path, loads: list[LoadReport], tables: Tables) -> None:
        building.mkdir(parents=True)
        raise OSError("no space")

    monkeypatch.setattr(lake_module, "_link_tables", fail)
    with pytest.raises(OSError, match="no space"):
        activate(tmp_path, [], lake_tables())
    assert list((tmp_path / "sets").iterdir()) == []
