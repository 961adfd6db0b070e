"""Reading a published release: one whole release, read-only, with the right names, types and
labels.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import duckdb
import pytest

from tests.conftest import PROJECT, MakeRelease, unseal
from warehouse import connect, describe, panel, panels, releases
from warehouse.errors import CitytradeError, ReleaseError
from warehouse.releases.publish import DATABASE
from warehouse.settings.config import Config


def test_nothing_published_says_what_to_do(tiny_config: Config) -> None:
    with pytest.raises(ReleaseError, match="run `citytrade refresh`"):
        connect(tiny_config)


def test_an_unknown_release_names_those_that_are_there(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    name = make_release()
    with pytest.raises(ReleaseError, match=f"'x' is not in .* \\(there: {name}\\)"):
        connect(tiny_config, release="x")


@pytest.mark.parametrize(
    "name", ["city_year", "main.city_year", "idx_market", "dictionary", "meta.panels"]
)
def test_names_without_a_schema_resolve(
    tiny_config: Config, make_release: MakeRelease, name: str
) -> None:
    make_release()
    with connect(tiny_config) as connection:
        assert connection.execute(f"select count(*) from {name}").fetchone() is not None


@pytest.mark.parametrize(
    "statement",
    [
        "create table x as select 1",
        "delete from city_year",
        "copy (select 1) to 'stolen.csv'",
        "select * from read_csv('/etc/hostname')",
        "attach 'other.duckdb'",
        "set enable_external_access = true",
        "install httpfs",
    ],
)
def test_a_connection_neither_writes_nor_reaches_out(
    tiny_config: Config, make_release: MakeRelease, statement: str
) -> None:
    make_release()
    with connect(tiny_config) as connection, pytest.raises((CitytradeError, duckdb.Error)):
        connection.execute(statement)


def test_two_connections_of_one_process_work_alike(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    make_release()
    with connect(tiny_config) as first, connect(tiny_config) as second:
        for connection in (first, second):
            assert connection.execute("select market_index from idx_market").fetchone() == (0.5,)


def test_an_open_connection_stands_in_nobodys_way(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    """Not with another limit of memory, and not where the file was opened by DuckDB itself, as in a
    notebook.
    """
    name = make_release()
    file = str(tiny_config.builds / name / DATABASE)
    with (
        connect(tiny_config, memory="1GB"),
        connect(tiny_config, memory="2GB"),
        duckdb.connect(file, read_only=True),
    ):
        assert len(panel("city_year", config=tiny_config)) == 5


@pytest.mark.parametrize(
    "statement",
    [
        "call enable_logging('QueryLog', storage = 'file', storage_config = {'path': '/tmp'})",
        "create temp view city_year as select 2 as hs6_n",
        "create temp macro abs(x) as 5",
        "create table memory.main.t as select 1",
        "set search_path = 'meta'",
        "set variable x = 1",
        "pragma enable_profiling",
        "use temp",
        "begin",
        "prepare p as select 1",
    ],
)
def test_a_connection_keeps_its_ways(
    tiny_config: Config, make_release: MakeRelease, statement: str
) -> None:
    make_release()
    with connect(tiny_config) as connection:
        with pytest.raises(CitytradeError):
            connection.execute(statement)
        assert connection.execute("select count(*), max(hs6_n) from city_year").fetchone() == (5, 9)
    for name in ("register", "create_function", "read_csv", "from_df", "table", "executemany"):
        with pytest.raises(AttributeError, match="it only reads"):
            getattr(connection, name)


def test_no_query_tells_where_the_files_lie(tiny_config: Config, make_release: MakeRelease) -> None:
    """Every function and view of DuckDB's that needs no argument, asked for everything that it
    knows.
    """
    make_release()
    with duckdb.connect() as plain:
        functions = {
            f"{name}()"
            for (name,) in plain.execute(
                "select function_name from duckdb_functions() where function_type like '%table%'"
            ).fetchall()
        }
        views = {
            name for (name,) in plain.execute("select view_name from duckdb_views()").fetchall()
        }
    told = []
    with connect(tiny_config) as connection:
        for name in sorted(functions | views):
            try:
                answer = str(connection.execute(f"from {name}").fetchall())
            except (CitytradeError, duckdb.Error) as refused:
                answer = str(refused)
            if str(tiny_config.home) in answer:
                told.append(name)
        for setting in ("temp_directory", "allowed_paths", "secret_directory"):
            with pytest.raises(CitytradeError):
                connection.execute(f"select current_setting('{setting}')")
    assert told == []


def test_a_release_that_duckdb_cannot_open_is_told(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    name = make_release()
    unseal(tiny_config.builds / name)
    (tiny_config.builds / name / DATABASE).write_bytes(b"no database at all" * 1000)
    with pytest.raises(
        ReleaseError,
        match=f"Release {name} cannot be opened .*`citytrade doctor` says what to mend",
    ):
        connect(tiny_config)


def test_an_open_reader_finishes_on_its_release(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    make_release(datetime(2026, 1, 1, tzinfo=UTC), marker=1)
    with connect(tiny_config) as old:
        make_release(datetime(2026, 1, 2, tzinfo=UTC), marker=2)
        assert old.execute("select marker from seeds_marker").fetchone() == (1,)
        with connect(tiny_config) as new:
            assert new.execute("select marker from seeds_marker").fetchone() == (2,)


def test_a_panel_has_its_keys_first_and_plain_types(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    make_release()
    frame = panel("city_year", config=tiny_config)
    assert list(frame.columns) == [
        "city_code",
        "year",
        "city_name_zh",
        "export_value_usd",
        "hs6_n",
        "is_open",
    ]
    assert [str(kind) for kind in frame.dtypes] == [
        "str",
        "int64",
        "str",
        "float64",
        "Int64",
        "boolean",
    ]
    assert frame["city_code"].tolist() == ["0101", "0101", "3301", "3301", "3301"]
    assert frame["year"].tolist() == [2003, 2004, 2003, 2004, 2005]
    assert frame["export_value_usd"].tolist()[2:] == [10.25, 12.5, 1.0]
    assert frame["hs6_n"].isna().tolist() == [True, False, False, False, False]


def test_a_panel_carries_release_units_and_labels(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    name = make_release(is_simulated=True)
    attrs = panel("city_year", columns=["export_value_usd"], config=tiny_config).attrs
    assert (attrs["panel"], attrs["release"], attrs["simulated"]) == ("city_year", name, True)
    assert attrs["columns"] == {
        "export_value_usd": {
            "unit": "USD",
            "label_en": "Exports",
            "label_zh": "出口额",
            "definition": "All.",
            "definition_zh": "全部。",
        }
    }


def test_a_release_from_before_definitions_in_chinese_is_read_without_them(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    folder = tiny_config.builds / make_release()
    unseal(folder)
    with duckdb.connect(str(folder / DATABASE)) as connection:
        connection.execute("alter table meta.dictionary drop column definition_zh")
    told = panel("city_year", config=tiny_config).attrs["columns"]["export_value_usd"]
    assert list(told) == ["unit", "label_en", "label_zh", "definition"]
    assert "definition_zh" not in describe("city_year", tiny_config)


@pytest.mark.parametrize(
    ("years", "expected"),
    [(2004, [2004, 2004]), ((2004, 2005), [2004, 2004, 2005]), ((1990, 1999), [])],
)
def test_years_are_inclusive(
    tiny_config: Config,
    make_release: MakeRelease,
    years: int | tuple[int, int],
    expected: list[int],
) -> None:
    make_release()
    assert sorted(panel("city_year", years=years, config=tiny_config)["year"].tolist()) == expected


def test_columns_come_after_the_keys_in_the_order_asked_for(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    make_release()
    frame = panel("city_year", columns=["hs6_n", "city_name_zh"], config=tiny_config)
    assert list(frame.columns) == ["city_code", "year", "hs6_n", "city_name_zh"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "city_yaer"}, "no panel 'city_yaer'. Nearest: city_year"),
        (
            {"name": "city_year", "columns": ["export_value"]},
            "no column 'export_value'. Nearest: export_value_usd",
        ),
        ({"name": "city_year", "years": (2005, 2003)}, "wrong order"),
        ({"name": 'city_year"; drop table x; --'}, "There is no panel"),
    ],
)
def test_wrong_names_get_the_nearest_ones(
    tiny_config: Config, make_release: MakeRelease, arguments: dict[str, object], message: str
) -> None:
    make_release()
    with pytest.raises(CitytradeError, match=message.replace("(", "\\(")):
        panel(**arguments, config=tiny_config)  # type: ignore[arg-type]


def test_panels_lists_what_there_is(tiny_config: Config, make_release: MakeRelease) -> None:
    make_release()
    assert panels(tiny_config).to_dict("records") == [
        {
            "panel": "city_year",
            "grain": "year, city_code",
            "rows": 5,
            "first_year": 2003,
            "last_year": 2005,
            "description": "One row a city and year.",
        }
    ]


def test_describe_gives_units_and_ranges(tiny_config: Config, make_release: MakeRelease) -> None:
    make_release()
    rows = describe("city_year", tiny_config).set_index("column_name")
    assert rows.loc["export_value_usd", ["dtype", "unit", "label_zh", "source"]].tolist() == [
        "decimal(18,2)",
        "USD",
        "出口额",
        "customs",
    ]
    assert rows.loc["export_value_usd", ["non_null_share", "minimum", "maximum"]].tolist() == [
        0.8,
        "1.00",
        "12.50",
    ]
    assert list(rows.index) == [
        "year",
        "city_code",
        "city_name_zh",
        "export_value_usd",
        "hs6_n",
        "is_open",
    ]


def test_releases_are_listed_newest_first(tiny_config: Config, make_release: MakeRelease) -> None:
    first = make_release(datetime(2026, 1, 1, tzinfo=UTC), marker=1)
    second = make_release(datetime(2026, 1, 2, tzinfo=UTC), marker=2)
    listed = releases(tiny_config)
    assert listed["release"].tolist() == [second, first]
    assert listed["is_current"].tolist() == [True, False]
    assert listed["previous"].isna().tolist() == [False, True]


def test_importing_the_store_is_quick() -> None:
    code = (
        "import sys, warehouse; print(sorted({'great_expectations', 'prefect', 'pandas', "
        "'dbt'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
