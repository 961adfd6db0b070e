"""One simulated economy written in every layout of the yearbooks gives the same numbers, to the
last bit.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from warehouse.errors import CitytradeError
from warehouse.lake.loads import load_folder
from warehouse.simulate.layouts import chosen_layouts
from warehouse.simulate.model.economy import Economy, build_economy
from warehouse.simulate.model.geography import cities, city_name_rows
from warehouse.simulate.model.industries import complete_economy
from warehouse.simulate.writers.yearbook.default import write_yearbooks
from warehouse.simulate.writers.yearbook.layouts import LAYOUTS
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file

Values = dict[tuple[str, bool, str, str, int], float]
KEPT = (
    "1100",
    "3301",
    "3401",
    "3701",
    "4206",
    "5205",
    "6404",
    "5401",
)  # renamed, merged, split, late and barely covered ones among them
RELATIONS = ("current", "renamed", "recoded", "merged")


@pytest.fixture(scope="module")
def economy() -> Economy:
    chosen = tuple(city for city in cities("paper") if city.city_code in KEPT)
    whole = build_economy(chosen, np.random.default_rng(1))
    complete_economy(whole, np.random.default_rng(2))
    return whole


@pytest.fixture(scope="module")
def default(economy: Economy, tmp_path_factory: pytest.TempPathFactory) -> Values:
    values, aside = read_world(economy, tmp_path_factory.mktemp("default"), None)
    assert aside == 0
    return values


def read_world(economy: Economy, folder: Path, layout: str | None) -> tuple[Values, int]:
    """Values by city code, whether of a merged city, scope, indicator and year, and how many cells
    were set aside.
    """
    (folder / "files").mkdir()
    write_yearbooks(folder / "files", economy, np.random.default_rng(3), lambda _: None, layout)
    parts, aside = [], 0
    for file in sorted((folder / "files").iterdir()):
        report, _ = load_file(get_source("yearbook"), file, folder / "lake")
        assert report.read_n == report.accepted_n + report.set_aside_n
        aside += report.set_aside_n
        if "yearbook__indicators" in report.tables and report.layout != "gdp_base_2000":
            assert layout in (None, report.layout)
            parts.append(
                pd.read_parquet(
                    load_folder(folder / "lake", "yearbook", report.load_id)
                    / "yearbook__indicators.parquet"
                )
            )
    places = {
        row["name_zh"]: (row["city_code"], row["relation"] == "merged")
        for row in city_name_rows()
        if row["relation"] in RELATIONS
    }
    values: Values = {}
    columns = (
        pd.concat(parts)[["city_name", "scope", "indicator", "year", "value"]]
        .to_numpy(dtype=object)
        .tolist()
    )
    for name, scope, indicator, year, value in columns:
        if name in places:  # 巢湖 is in no panel
            key = (*places[name], "district" if scope == "district" else "city", indicator, year)
            assert values.setdefault(key, value) == value, key
    return values, aside


def test_the_default_files_hold_what_the_papers_need(default: Values) -> None:
    assert {code for code, *_ in default} == set(KEPT)
    assert default["3301", False, "city", "employees_mining_n", 2009] % 1 == 0
    assert ("3701", True, "district", "gdp_cny", 2012) in default
    assert (
        "5205",
        False,
        "city",
        "gdp_cny",
        2007,
    ) not in default, "毕节 was no city before 2011, and the panel begins in 2008"
    assert len(default) > 12_000


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_each_layout_gives_the_same_numbers(
    layout: str, economy: Economy, default: Values, tmp_path: Path
) -> None:
    values, aside = read_world(economy, tmp_path, layout)
    expected = (
        default
        if layout != "nbs_query"
        else {key: value for key, value in default.items() if key[2] == "city"}
    )
    assert values == expected
    assert (aside > 0) == (layout == "digitised_yearbook"), "the doubled columns, and nothing else"


def test_layouts_are_chosen_by_name_or_its_beginning() -> None:
    assert chosen_layouts({"yearbook": "panel_glued"}) == {"yearbook": "panel_glued_units"}
    with pytest.raises(CitytradeError, match="fits several layouts"):
        chosen_layouts({"yearbook": "panel_indicator"})
