"""Real downloads of customs' online query: both languages, imports and exports apart, every row
kept or set aside with its reason.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from warehouse.errors import SourceError
from warehouse.lake.loads import LoadReport, load_folder
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file

REAL = os.environ.get("CITYTRADE_REAL_DATA")
pytestmark = pytest.mark.skipif(
    not REAL, reason="CITYTRADE_REAL_DATA does not name the folder of the real files"
)
OPTIONS = {"import_files": "2023.csv\n*in.csv", "export_files": "*out.csv\ngacc_*"}


def read(lake: Path, name: str) -> tuple[LoadReport, pd.DataFrame]:
    (file,) = Path(str(REAL)).glob(f"customs/**/{name}")
    report, _ = load_file(get_source("customs"), file, lake, OPTIONS)
    return report, pd.read_parquet(
        load_folder(lake, "customs", report.load_id) / "customs__records.parquet"
    )


def test_soy_beans_from_brazil_in_january_2023(tmp_path: Path) -> None:
    """The file's second row: 1,831,535,439 kg for 8,634,238,278 yuan."""
    report, rows = read(tmp_path, "2023.csv")
    brazil = rows[
        (rows["partner_code"] == "410") & (rows["month"] == 1) & (rows["hs8"] == "12019019")
    ]
    assert report.layout == "online_query_zh"
    assert brazil[["year", "flow", "value_cents", "currency", "quantity"]].values.tolist() == [
        [2023, "import", 863_423_827_800, "CNY", 1_831_535_439.0]
    ]


@pytest.mark.parametrize(
    ("name", "flow", "year"),
    [
        ("2024in.csv", "import", 2024),
        ("2024out.csv", "export", 2024),
        ("2025in.csv", "import", 2025),
        ("2025out.csv", "export", 2025),
    ],
)
def test_every_row_is_kept_or_set_aside(tmp_path: Path, name: str, flow: str, year: int) -> None:
    report, rows = read(tmp_path, name)
    assert report.read_n == report.accepted_n + report.set_aside_n >= 20
    assert report.accepted_n >= 0.9 * report.read_n
    assert set(rows["flow"]) == {flow} and set(rows["year"]) == {year}


def test_the_english_query_is_in_dollars(tmp_path: Path) -> None:
    report, rows = read(tmp_path, "gacc_english-full.csv")
    assert report.layout == "online_query_en"
    assert rows[["year", "month", "currency", "value_cents", "partner_code"]].values.tolist()[
        0
    ] == [2026, 1, "USD", 31_528_600, "110"]


def test_a_month_that_stands_nowhere_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError,
        match=(
            r"gacc_chinese-full\.csv, line 1: has no column with a date, "
            r"and its name does not say one month"
        ),
    ):
        read(tmp_path, "gacc_chinese-full.csv")


def test_other_tables_about_soy_beans_are_not_taken_for_the_query(tmp_path: Path) -> None:
    for name in ("merge.csv", "agen.csv", "braz.csv"):
        with pytest.raises(SourceError, match="shows none of the layouts known for customs"):
            read(tmp_path, name)
