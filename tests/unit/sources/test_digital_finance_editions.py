"""One simulated index in every shape in which it is passed around: the same numbers from each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from warehouse.simulate.model.economy import build_economy
from warehouse.simulate.model.geography import cities
from warehouse.simulate.model.mediators import digital_finance
from warehouse.simulate.writers.digital_finance import write_digital_finance
from warehouse.sources.reading.base import RawFile
from warehouse.sources.reading.sheets import read_workbook

CITIES, PROVINCES = "digital_finance__cities", "digital_finance__provinces"
KEYS = {CITIES: ["code_2018", "year"], PROVINCES: ["province_code", "year"]}


@pytest.fixture
def loaded(load, tmp_path):
    """`loaded(edition)` -> {table: rows without lineage, by key}, and the layouts that were
    recognised.
    """
    economy = build_economy(cities("small"), np.random.default_rng(3))
    level = digital_finance(economy, np.random.default_rng(4))

    def read(edition):
        folder = tmp_path / edition
        folder.mkdir()
        write_digital_finance(folder, economy, level, np.random.default_rng(5), edition)
        found, layouts = {}, set()
        for file in sorted(folder.iterdir()):
            report, tables, aside = load("digital_finance", file)
            assert len(aside) == 0
            layouts.add(report.layout)
            found |= tables
        rows = {
            name: (
                found[name]
                .drop(columns=["file_id", "line", "load_id"])
                .sort_values(KEYS[name])
                .reset_index(drop=True)
            )
            for name in KEYS
        }
        return rows, layouts

    return read


def test_every_edition_holds_the_same_numbers(loaded):
    stata, layouts = loaded("stata")
    assert layouts == {"stata"}
    later, layouts = loaded("2011-2023")
    assert layouts == {"workbook"}
    earlier, layouts = loaded("2011-2020")
    assert layouts == {"workbook"}
    assert stata[CITIES]["year"].max() == 2021
    for table in KEYS:
        pd.testing.assert_frame_equal(stata[table], later[table])
        until = stata[table][stata[table]["year"] <= 2020].reset_index(drop=True)
        pd.testing.assert_frame_equal(until, earlier[table])


def test_the_earlier_edition_has_its_counties_on_the_sixth_sheet(loaded, tmp_path):
    loaded("2011-2020")
    (file,) = (tmp_path / "2011-2020").iterdir()
    sheets = list(read_workbook(RawFile(file, "0")).items())
    name, rows = sheets[5]
    assert (len(sheets), name) == (6, "县域")
    assert {"county_name_year14", "county_code_year14"} <= set(rows[0])
    assert len(rows) > 10
