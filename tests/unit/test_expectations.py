"""Checks before load and before publication: what fails is named with its rows, and a check that
breaks is no failure of data.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from expectations import CheckResult, check_deliveries, check_panels, judging
from expectations.checks import Check, Suite
from expectations.deliveries import SUITES
from expectations.judging import _context, judge, validate
from expectations.tally import Count
from tests.conftest import PROJECT
from warehouse.dictionary.entries import ColumnEntry
from warehouse.lake.loads import LoadReport, load_folder
from warehouse.lake.schema import as_select, stored
from warehouse.sources import lake_tables

GOOD_RECORD = {
    "year": 2005, "month": 12, "flow": "'export'", "hs8": "'84713000'", "value_cents": 100,
    "currency": "'USD'", "quantity": 1.5,
    "production_place": "'杭州市'", "line": 2,
    "file_id": "'f1'", "load_id": "'l1'",
}  # fmt: skip


def entry(name: str, minimum: float | None, maximum: float | None) -> ColumnEntry:
    return ColumnEntry(name, "double", "measure", "USD", "", "", "", "", "", minimum, maximum, "")


def deliver(
    lake: Path,
    load_id: str,
    rows: list[Mapping[str, object]],
    table: str = "customs__records",
    read_n: int = 0,
) -> LoadReport:
    """A load with the given values, null where none is given."""
    source = table.split("__")[0]
    folder = load_folder(lake, source, load_id)
    folder.mkdir(parents=True)
    selects = [
        as_select(
            stored(lake_tables()[table]),
            {name: row.get(name, "null") for name in stored(lake_tables()[table])},
        )
        for row in rows
    ]
    query = " union all ".join(f"select {select}" for select in selects)
    with duckdb.connect() as connection:
        connection.execute(f"copy ({query}) to '{folder / f'{table}.parquet'}' (format parquet)")
    aside = {"bad_date": read_n - len(rows)} if read_n else {}
    return LoadReport(
        source,
        load_id,
        f"{load_id}.csv",
        "0" * 64,
        1,
        "layout",
        read_n or len(rows),
        len(rows),
        aside,
        {table: len(rows)},
    )


def failures(results: list[CheckResult]) -> dict[tuple[str, str], CheckResult]:
    return {
        (result.column_name, result.check_name): result for result in results if not result.success
    }


def test_a_good_delivery_passes(tmp_path: Path) -> None:
    results = check_deliveries([deliver(tmp_path, "a", [GOOD_RECORD])], tmp_path)
    assert failures(results) == {}
    assert len(results) > 10


def test_a_bad_delivery_is_told_with_its_rows(tmp_path: Path) -> None:
    bad = {**GOOD_RECORD, "line": 3, "flow": "'transit'", "value_cents": -5, "hs8": "'847130'"}
    result = failures(check_deliveries([deliver(tmp_path, "a", [GOOD_RECORD, bad])], tmp_path))
    assert set(result) == {
        ("flow", "one of export, import"),
        ("value_cents", "between 1 and 10000000000000"),
        ("length_hs8", "between 8 and 8"),
    }
    told = result["value_cents", "between 1 and 10000000000000"]
    assert (told.stops, told.unexpected_n) == (False, 1)
    assert result["length_hs8", "between 8 and 8"].stops
    assert told.failing_rows == '{"file_id": "f1", "line": 3, "value_cents": -5}'
    assert (
        "customs__records.value_cents: between 1 and 10000000000000 fails (warning, 1 rows)"
        in str(told)
    )


def test_files_of_one_table_are_checked_together(tmp_path: Path) -> None:
    loads = [deliver(tmp_path, "a", [GOOD_RECORD]), deliver(tmp_path, "b", [GOOD_RECORD])]
    result = failures(check_deliveries(loads, tmp_path))
    assert result["file_id, line", "unique"].unexpected_n == 2


def test_an_empty_delivery_stops(tmp_path: Path) -> None:
    load = deliver(tmp_path, "a", [GOOD_RECORD])
    with duckdb.connect() as connection:
        file = load_folder(tmp_path, "customs", "a") / "customs__records.parquet"
        connection.execute(
            f"create table t as from '{file}' limit 0; copy t to '{file}' (format parquet)"
        )
    assert failures(check_deliveries([load], tmp_path))["", "rows at least 1"].stops


def test_many_rows_set_aside_are_a_warning(tmp_path: Path) -> None:
    load = deliver(tmp_path, "a", [GOOD_RECORD], read_n=2)
    warning = failures(check_deliveries([load], tmp_path))["", "at most 20% set aside"]
    assert not warning.stops
    assert warning.observed == "a.csv: 50.0% of 2 rows (bad_date 1)"


def test_nothing_delivered_needs_no_check(tmp_path: Path) -> None:
    assert check_deliveries([], tmp_path) == []


def test_every_lake_table_has_a_suite_over_its_own_columns() -> None:
    assert set(SUITES) == set(lake_tables())
    for table, suite in SUITES.items():
        for check in suite.checks:
            assert {column.removeprefix("length_") for column in check.columns} <= set(
                stored(lake_tables()[table])
            ), (table, check)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "create table city_year as select * from (values ('3301', 2003::smallint,"
            " 10.5::decimal(18, 2), '杭州'), ('3301', 2004, 20, '杭州'), ('3302', 2003, 5, '宁波'))"
            " t(city_code, year, export_value_usd, city_name_zh)"
        )
    return file


GRAIN = {"city_year": ("city_code", "year")}
BOUNDS = {
    "export_value_usd": entry("export_value_usd", 0, 100),
    "city_name_zh": entry("city_name_zh", 0, None),
}


def test_a_good_panel_passes_and_text_has_no_bounds(database: Path) -> None:
    results = check_panels(database, GRAIN, BOUNDS, (2003, 2004))
    assert failures(results) == {}
    assert [(result.column_name, result.check_name) for result in results] == [
        ("", "rows at least 1"), ("city_code, year", "unique"), ("city_code", "not_null"), ("year",
        "not_null"),
        ("year", "between 2003 and 2004"), ("export_value_usd", "between 0 and 100"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "column", "check", "rows"),
    [
        ("insert into city_year values ('3301', 2003, 1, 'x')", "city_code, year",
         "unique", '{"city_code": "3301", "year": 2003}'),
        ("insert into city_year values (null, 2003, 1, 'x')", "city_code",
         "not_null", '{"city_code": null, "year": 2003}'),
        ("insert into city_year values ('3303', 1999, 1, 'x')", "year",
         "between 2003 and 2004", '{"city_code": "3303", "year": 1999}'),
    ],
)  # fmt: skip
def test_a_bad_panel_stops_with_its_rows(
    database: Path, change: str, column: str, check: str, rows: str
) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(change)
    failed = failures(check_panels(database, GRAIN, BOUNDS, (2003, 2004)))
    assert list(failed) == [(column, check)]
    assert failed[column, check].stops
    assert rows in failed[column, check].failing_rows


@pytest.mark.parametrize(
    ("kind", "source", "minimum", "maximum", "stops"),
    [
        ("index", "customs__records", 0, 4, True),
        ("dummy", "policies__zones", 0, 1, True),
        ("measure", "customs__records", 6, None, False),
        ("measure", "yearbook__indicators", 0, 1, False),
        ("index", "digital_finance__cities", 0, 4, False),
    ],
)
def test_a_value_out_of_bounds_stops_only_where_the_models_alone_can_make_it(
    database: Path, kind: str, source: str, minimum: float, maximum: float | None, stops: bool
) -> None:
    bounded = ColumnEntry(
        "export_value_usd", "double", kind, "", "", "", "", "", source, minimum, maximum, ""
    )
    (failed,) = failures(
        check_panels(database, GRAIN, {"export_value_usd": bounded}, (2003, 2004))
    ).values()
    assert failed.stops == stops
    assert '"city_code": "3302", "year": 2003' in failed.failing_rows


def test_what_cannot_be_negative_stops_where_it_is(database: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute("update city_year set export_value_usd = -1 where city_code = '3302'")
    (failed,) = failures(
        check_panels(
            database, GRAIN, {"export_value_usd": entry("export_value_usd", 0, None)}, (2003, 2004)
        )
    ).values()
    assert failed.stops
    assert '{"city_code": "3302", "year": 2003, "export_value_usd": "-1.00"}' in failed.failing_rows


def test_an_empty_panel_stops_unless_a_source_is_missing(database: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute("delete from city_year")
    assert failures(check_panels(database, GRAIN, BOUNDS, (2003, 2004)))[
        "", "rows at least 1"
    ].stops
    assert not failures(check_panels(database, GRAIN, BOUNDS, (2003, 2004), is_complete=False))[
        "", "rows at least 1"
    ].stops


def test_another_panel_may_be_empty_and_says_why(database: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute("create table panel_study as from city_year limit 0")
    told = failures(
        check_panels(database, {"panel_study": ("city_code", "year")}, BOUNDS, (2012, 2021))
    )["", "rows at least 1"]
    assert (told.stops, told.severity) == (False, "warning")
    assert (
        "panel_study: rows at least 1 fails (warning); between 2012 and 2021 no row has all the"
        " data" in str(told)
    )


def test_a_check_that_breaks_is_an_error_and_stops(database: Path) -> None:
    suite = Suite(
        "broken",
        "city_year",
        (Check("not_null", ("no_such_column",), severity="warning"), Check("not_null", ("year",))),
        ("city_code",),
    )
    broken, whole = judge(database, [suite], "panel")
    assert (broken.is_error, broken.success, broken.stops) == (True, False, True)
    assert "no_such_column" in broken.observed
    assert "could not be run" in str(broken)
    assert (whole.is_error, whole.success) == (False, True)


def test_keys_with_a_null_in_them_are_compared_too(database: Path) -> None:
    key = Check("unique", ("city_code", "year"))
    suite = Suite("panels.city_year", "city_year", (key,), ("city_code",))
    with duckdb.connect(str(database)) as connection:
        connection.execute("insert into city_year values ('3309', null, 1, 'x')")
    assert judge(database, [suite], "panel")[0].success
    with duckdb.connect(str(database)) as connection:
        connection.execute("insert into city_year values ('3309', null, 2, 'x')")
    (failed,) = judge(database, [suite], "panel")
    assert (failed.success, failed.unexpected_n, failed.is_error) == (False, 2, False)
    assert failed.failing_rows == "; ".join(['{"city_code": "3309", "year": null}'] * 2)


def test_the_file_can_be_written_after_checking(database: Path) -> None:
    check_panels(database, GRAIN, BOUNDS, (2003, 2004))
    with duckdb.connect(str(database)) as connection:
        connection.execute("create table after_checks as select 1 as x")


def test_importing_expectations_does_not_import_great_expectations() -> None:
    done = subprocess.run(
        [sys.executable, "-c",
        (
            "import sys, expectations, flows.cli; print('great_expectations' in sys.modules, "
            "'prefect' in sys.modules)"
        )],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["False", "False"]


EVERY_KIND = Suite(
    "kinds",
    "oddities",
    (
        Check("rows", minimum=1, maximum=3),
        Check("rows", minimum=9),
        Check("rows", maximum=6),
        Check("not_null", ("word",)),
        Check("unique", ("word",)),
        Check("unique", ("word", "number")),
        Check("unique", ("id",)),
        Check("in_set", ("word",), values=("a", "b'?")),
        Check("in_set", ("number",), values=(1, 2)),
        Check("between", ("number",), minimum=1),
        Check("between", ("number",), maximum=2, severity="warning"),
        Check("between", ("share",), 0, 0.3),
        Check("between", ("money",), 0.1, 0.3),
        Check("between", ("number",), -5, 10_000_000_000_000),
    ),
    ("id",),
)


@pytest.mark.parametrize(
    "rows",
    [
        "(1, 'a', 1, 0.1, 0.1), (2, 'b''?', 2, 0.3, 0.3), (3, 'c', 1, 0, 0.2)",
        "(1, 'a', 1, 0.1, 0.1), (2, 'a', 1, 'nan', 0.3), (3, null, 1, -0.1, 0), (4, null, 2, null,"
        " null), (5, 'z', 3, 'inf', 0.31), (5, 'a', null, 0.30000000000000004, 0.1), (7, 'q', null,"
        " 0, 0.2)",
        "(null, null, null, null, null)",
    ],
)
def test_counts_judge_as_the_expectations_themselves_do(tmp_path: Path, rows: str) -> None:
    file = tmp_path / "oddities.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "create table oddities (id int, word varchar, number bigint, share double, money"
            f" decimal(9, 2)); insert into oddities values {rows}"
        )
    judged = judge(file, [EVERY_KIND], "panel")
    asked = validate(_context(), file, [EVERY_KIND], "panel")
    assert judged == asked
    assert {result.success for result in judged} == {True, False}


def test_a_count_that_the_table_does_not_confirm_is_an_error(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "tally", lambda connection, suite: [Count(2, None, 0)])
    suite = Suite("years", "city_year", (Check("not_null", ("year",)),), ("city_code",))
    (told,) = judge(database, [suite], "panel")
    assert (told.success, told.is_error, told.stops) == (False, True, True)
    assert "does not confirm" in told.observed
