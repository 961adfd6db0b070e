"""What every test of a source reader needs: read one tiny file into a lake of its own, and see what
came out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from tests.unit.sources.peoples_cases import RECORD
from warehouse.lake.loads import LoadReport, load_folder
from warehouse.lake.schema import SET_ASIDE
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file

Loaded = tuple[LoadReport, dict[str, pd.DataFrame], pd.DataFrame]


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Loaded]:
    """`load(source_name, path, **options)` -> (report, {table: rows}, rows set aside), with the
    counts checked.

    Rows are in the order of the file. The lake lies in `tmp_path / "lake"`.
    """

    def read(source_name: str, path: Path, **options: str) -> Loaded:
        lake = tmp_path / "lake"
        report, _ = load_file(get_source(source_name), path, lake, options)
        folder = load_folder(lake, source_name, report.load_id)
        tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in report.tables}
        aside_file = folder / "set_aside.parquet"
        aside = (
            pd.read_parquet(aside_file)
            if aside_file.exists()
            else pd.DataFrame(columns=list(SET_ASIDE))
        )
        assert {name: len(rows) for name, rows in tables.items()} == report.tables
        assert len(aside) == report.set_aside_n
        assert report.read_n == report.accepted_n + report.set_aside_n
        return report, tables, aside

    return read


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """`workbook(file_name, {sheet: rows})` -> the path of an xlsx with those sheets in
    that order.
    """

    def write(file_name: str, sheets: dict[str, list[list[object]]]) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
        path = tmp_path / file_name
        book.save(path)
        return path

    return write


@pytest.fixture
def customs(load: Callable, tmp_path: Path) -> Callable:
    """`customs(file name, changed record, ...)` -> report, records, rows set aside, of a csv of
    such records.
    """

    def read(name: str, *changed: dict[str, str]) -> tuple:
        rows = [{**RECORD, **change} for change in changed]
        pd.DataFrame(rows).to_csv(tmp_path / name, index=False, encoding="utf-8")
        report, tables, aside = load("customs", tmp_path / name)
        return report, tables["customs__records"], aside

    return read
