"""The real geopolitical risk index, read whole, with months that everybody can look up; and the
Belt-and-Road list against the paper's counts.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pandas as pd
import pytest

from warehouse.lake.loads import load_folder
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file

REAL = os.environ.get("CITYTRADE_REAL_DATA")
pytestmark = pytest.mark.skipif(
    not REAL, reason="CITYTRADE_REAL_DATA does not name the folder of the real files"
)


@pytest.fixture(scope="module")
def risk(tmp_path_factory) -> pd.DataFrame:
    lake = tmp_path_factory.mktemp("lake")
    report, _ = load_file(
        get_source("risk"), Path(str(REAL)) / "gpr" / "data" / "data_gpr_export.xls", lake
    )
    assert report.set_aside == {}
    assert report.read_n == report.accepted_n
    return pd.read_parquet(load_folder(lake, "risk", report.load_id) / "risk__geopolitical.parquet")


def test_countries_and_months(risk: pd.DataFrame) -> None:
    assert risk["iso3"].nunique() == 44
    assert (risk["year"].min(), risk["year"].max()) == (1985, 2025)
    assert len(risk) == 44 * (40 * 12 + 9)  # January 1985 to September 2025, no gap
    assert not risk.duplicated(["iso3", "year", "month"]).any()
    assert risk["articles_pct"].between(0, 100).all()


def test_values_that_can_be_looked_up(risk: pd.DataFrame) -> None:
    value = risk.set_index(["iso3", "year", "month"])["articles_pct"]
    assert value["USA", 2025, 9] == pytest.approx(
        3.176288, abs=1e-6
    )  # the last row of the authors' sheet
    assert value["CHN", 2025, 9] == pytest.approx(0.914510, abs=1e-6)
    assert value["UKR"].loc[2022].idxmax() == 3  # the month after the invasion
    assert value["USA"].idxmax() == (2001, 9)


def test_panel_years_are_complete(risk: pd.DataFrame) -> None:
    months = risk[risk["year"].between(2011, 2021)].groupby(["iso3", "year"]).size()
    assert (months == 12).all()
    assert len(months) == 44 * 11


def test_list_of_belt_and_road_countries() -> None:
    project = Path(__file__).resolve().parents[2]
    with (project / "warehouse" / "reference" / "belt_and_road.csv").open(
        encoding="utf-8", newline=""
    ) as handle:
        names = [row["name_zh"] for row in csv.DictReader(handle)]
    with (project / "dbt_project" / "seeds" / "geography" / "country_names.csv").open(
        encoding="utf-8", newline=""
    ) as handle:
        codes = {row["name_zh"]: row["country_code"] for row in csv.DictReader(handle)}
    assert len(names) == len(set(names)) == 152
    assert [name for name in names if name not in codes] == [
        "纽埃"
    ]  # customs have no code of its own for Niue
    with (Path(str(REAL)) / "countries" / "country_data.tsv").open(
        encoding="utf-8", newline=""
    ) as handle:
        continent = {
            row["ISO3"]: row["continent"] for row in csv.DictReader(handle, delimiter="\t")
        }
    with (project / "dbt_project" / "seeds" / "geography" / "countries.csv").open(
        encoding="utf-8", newline=""
    ) as handle:
        iso3 = {row["country_code"]: row["iso3"] for row in csv.DictReader(handle)}
    found = pd.Series(
        [continent[iso3[codes[name]]] for name in names if name in codes]
    ).value_counts()
    # A footnote of digital_export_resilience: Asia 40, Africa 52, Europe 27, North America 13,
    # South America 9, Oceania 11 (with Niue).
    assert found["Africa"] == 52
    assert found["Oceania"] == 10
    assert found["America"] == 22
    assert found["Asia"] + found["Europe"] == 67
