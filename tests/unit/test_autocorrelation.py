"""Moran's I of a panel's column with the weights of a release: four cities in a row, by hand."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import duckdb
import numpy as np
import pytest

from analysis.report.autocorrelation import main, panel_moran, warehouse_weights
from warehouse import connect
from warehouse.errors import CitytradeError
from warehouse.releases.meta import write_meta, write_set_aside
from warehouse.releases.publish import DATABASE, Manifest, begin_release, publish, release_id
from warehouse.settings.config import Config

# A - B - C - D in a row, and E alone. In 2001 x = 1, 2, 3, 4: z = -1.5, -0.5, 0.5, 1.5, lags -0.5,
# -0.5, 0.5, 0.5, so z'Wz = 2, z'z = 5.
# In 2002 the row is 1, 3, 1, 3 (and E at the mean, 2): every neighbour lies on the other side.
ROWS = (
    "('A', 2001, 1), ('B', 2001, 2), ('C', 2001, 3), ('D', 2001, 4), ('A', 2002, 1), ('B', 2002, "
    "3), ('C', 2002, 1), ('D', 2002, 3), ('E', 2002, 2)"
)
PAIRS = (
    "('A', 'B', 1.0), ('B', 'A', 0.5), ('B', 'C', 0.5), ('C', 'B', 0.5), ('C', 'D', 0.5), ('D', "
    "'C', 1.0)"
)


@pytest.fixture
def row_of_cities(tiny_config: Config) -> Config:
    name = release_id(datetime.now(UTC), "000001")
    manifest = Manifest(
        name, None, "2026-11-20T00:00:00", "citytrade.toml", True, "1" * 64, "c", "s"
    )
    build = begin_release(tiny_config.home, name)
    panels = [
        {
            "panel": "city_year",
            "grain": "city_code, year",
            "description": "One row a city and year.",
            "rows_n": 9,
            "first_year": 2001,
            "last_year": 2002,
        },
        {"panel": "city", "grain": "city_code", "description": "One row a city.", "rows_n": 4},
    ]
    with duckdb.connect(str(build / DATABASE)) as connection:
        connection.execute(
            "create table city_year as select city_code, year::smallint as year, x::double as x"
            f" from (values {ROWS}) t(city_code, year, x)"
        )
        connection.execute(
            "create table city as select city_code, x, 5.0 as same from city_year where year = 2001"
        )
        connection.execute(
            "create schema seeds; create table seeds.cities as select unnest(['A', 'B', 'C', "
            "'D', 'E']) as city_code"
        )
        connection.execute("create schema intermediate")
        connection.execute(
            f"create table intermediate.int_spatial__contiguity as select * from (values {PAIRS})"
            " t(city_code, neighbour_code, weight)"
        )
        write_set_aside(connection, [])
        write_meta(
            connection, {"releases": [{**asdict(manifest), "is_this": True}], "panels": panels}
        )
    publish(tiny_config.home, build, manifest, 5)
    return tiny_config


def test_moran_of_a_panel_by_year(row_of_cities: Config) -> None:
    found = panel_moran("city_year", "x", config=row_of_cities).statistics
    assert found.loc[2001, "moran_i"] == pytest.approx(0.4, abs=1e-15)
    assert found.loc[2002, "moran_i"] == pytest.approx(-1.0, abs=1e-15)
    assert found["n"].tolist()[:2] == [4, 4], "E has no neighbour and is not counted"
    one_year = panel_moran("city_year", "x", years=2001, config=row_of_cities).statistics
    assert one_year.loc[2001, "moran_i"] == found.loc[2001, "moran_i"]


def test_moran_of_a_cross_section(row_of_cities: Config) -> None:
    assert panel_moran("city", "x", config=row_of_cities).statistics["moran_i"].tolist() == [
        pytest.approx(0.4, abs=1e-15)
    ]


def test_what_cannot_be_had_is_said(
    row_of_cities: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CitytradeError, match="same has 4 units and 1 different values"):
        panel_moran("city", "same", config=row_of_cities)
    with pytest.raises(CitytradeError, match="has no int_spatial__k_nearest"):
        panel_moran("city", "x", weights="k_nearest", config=row_of_cities)
    with (
        connect(row_of_cities) as connection,
        pytest.raises(CitytradeError, match="There are no weights 'queen'"),
    ):
        warehouse_weights(connection, "queen")
    assert main(["city", "wealth", "--config", str(row_of_cities.path)]) == 1
    assert "wealth" in capsys.readouterr().err


def test_the_command_says_that_a_world_is_simulated(
    row_of_cities: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["city_year", "x", "--years", "2001", "2001", "--config", str(row_of_cities.path)])
        == 0
    )
    printed = capsys.readouterr().out
    assert printed.startswith("SIMULATED DATA")
    assert "0.4000" in printed


def test_esda_gives_the_same_where_every_city_has_a_neighbour(row_of_cities: Config) -> None:
    esda = pytest.importorskip("esda", reason="esda is a peer to compare with, not a dependency")
    libpysal = pytest.importorskip(
        "libpysal", reason="libpysal is a peer to compare with, not a dependency"
    )
    neighbours = {"A": ["B"], "B": ["A", "C"], "C": ["B", "D"], "D": ["C"]}
    weights = libpysal.weights.W(neighbours, id_order=list("ABCD"))
    weights.transform = "r"
    theirs = esda.Moran(np.array([1.0, 2.0, 3.0, 4.0]), weights, permutations=0)
    ours = panel_moran("city", "x", config=row_of_cities).statistics.iloc[0]
    assert ours["moran_i"] == pytest.approx(theirs.I, abs=1e-15)
    assert ours["z_random"] == pytest.approx(theirs.z_rand, rel=1e-12)
    assert ours["z_normal"] == pytest.approx(theirs.z_norm, rel=1e-12)
