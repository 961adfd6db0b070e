"""The simulated world: the same seed gives the same bytes, its files look like the publishers', and
its truth adds up.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from warehouse.errors import CitytradeError
from warehouse.lake.loads import load_folder
from warehouse.lake.schema import stored
from warehouse.simulate import simulate, world_is_current, write_customs_lake
from warehouse.simulate import world as world_module
from warehouse.simulate.model.defects import BAD_REASONS
from warehouse.simulate.model.geography import NOTABLE, units
from warehouse.simulate.model.nomenclature import nomenclature
from warehouse.simulate.model.trade import LEFT_OUT
from warehouse.sources import get_source, lake_tables
from warehouse.sources.reading.loading import load_file

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("simulated") / "world", "small", 1)


@pytest.fixture(scope="module")
def truth(world: Path) -> dict[str, Any]:
    return json.loads((world / "truth.json").read_text(encoding="utf-8"))


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_same_seed_gives_the_same_bytes_in_another_process(world: Path, tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from warehouse.simulate import simulate;"
        f" simulate(Path({str(tmp_path / 'again')!r}), 'small', 1)"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai"},
        check=True,
    )
    assert digests(tmp_path / "again") == digests(world)


def test_another_seed_gives_other_bytes(world: Path, tmp_path: Path) -> None:
    first, second = digests(world), digests(simulate(tmp_path / "other", "small", 2))
    assert first.keys() == second.keys()
    invented = [
        name
        for name in first
        if name.split("/")[0] in ("customs", "yearbook", "digital_finance", "input_output")
    ]
    assert len(invented) > 60
    assert not [name for name in invented if first[name] == second[name]]


def test_everything_says_that_it_is_simulated(world: Path, truth: dict[str, Any]) -> None:
    raw = [file for file in world.rglob("*") if file.is_file() and file.parent != world]
    assert [file.name for file in raw if not file.name.startswith("SIMULATED_")] == []
    assert {file.name for file in world.iterdir() if file.is_file()} == {
        "README.txt",
        "SIMULATED.json",
        "truth.json",
    }
    readme = (world / "README.txt").read_text(encoding="utf-8")
    assert "SIMULATED DATA" in readme and "模拟数据" in readme
    assert truth["simulated"] is True


def test_three_per_cent_of_the_records_are_bad_and_every_reason_occurs(
    truth: dict[str, Any],
) -> None:
    reasons = Counter(row["reason"] for row in truth["bad_rows"])
    assert set(reasons) == set(BAD_REASONS)
    assert sum(reasons.values()) == round(0.03 * truth["totals"]["records"])
    assert {reason: row["records"] for reason, row in truth["totals"]["bad"].items()} == reasons


def test_truth_adds_up_to_the_cent(truth: dict[str, Any]) -> None:
    totals, left_out = truth["totals"], truth["left_out"]
    assert set(left_out) == set(LEFT_OUT) and all(row["records"] for row in left_out.values())
    assert sum(truth["records_by_file"].values()) == totals["records"]
    assert (
        totals["records"]
        == len(truth["bad_rows"]) + totals["imports"]["records"] + totals["exports"]["records"]
    )
    for unit in ("records", "value_cents"):
        assert totals["exports"][unit] == totals["clean_exports"][unit] + sum(
            row[unit] for row in left_out.values()
        )
    assert (
        sum(row["export_value_cents"] for row in truth["city_year"])
        == totals["clean_exports"]["value_cents"]
    )
    assert all(
        row["export_value_usd"] == f"{row['export_value_cents'] / 100:.2f}"
        for row in truth["city_year"]
    )


def test_the_cities_that_must_be_there_export(truth: dict[str, Any]) -> None:
    assert set(NOTABLE) <= {row["city_code"] for row in truth["city_year"]}
    assert {row["year"] for row in truth["city_year"]} == set(range(2000, 2022))


def test_csv_files_are_gb18030_with_crlf_and_names_cut_in_mid_character(world: Path) -> None:
    cut = 0
    for year in range(2000, 2007):
        data = (world / "customs" / f"SIMULATED_customs_{year}.csv").read_bytes()
        assert data.count(b"\n") == data.count(b"\r\n") > 100
        text = data.decode("gb18030", errors="replace")
        assert text.startswith("日期,进口或出口,HS编码,HS中文,金额,")
        cut += text.count("\ufffd")
        widths = {len(row) for row in csv.reader(text.splitlines())}
        assert widths == {23}
    assert 0 < cut < 50


def test_stata_files_are_of_an_old_format_with_gb18030_names(world: Path) -> None:
    head = (world / "customs" / "SIMULATED_customs_2009_part1.dta").read_bytes()[:2000]
    assert head[0] == 114
    assert "_消费地进口or生产地出口".encode("gb18030") in head
    frame = pd.read_stata(
        world / "customs" / "SIMULATED_customs_2009_part1.dta", convert_categoricals=False
    )
    codes = frame["_税号编码".encode("gb18030").decode("latin-1")]
    assert codes.dropna().between(1_000_000, 9_999_999).any(), (
        "a numeric code must have lost its leading zero"
    )


@pytest.mark.parametrize(
    "name",
    [
        "SIMULATED_customs_2004.csv",
        "SIMULATED_customs_2010_part2.dta",
        "SIMULATED_customs_2018.dta",
    ],
)
def test_the_reader_sets_aside_what_the_truth_says(
    world: Path, truth: dict[str, Any], tmp_path: Path, name: str
) -> None:
    report, _ = load_file(get_source("customs"), world / "customs" / name, tmp_path)
    assert report.read_n == truth["records_by_file"][name]
    file = load_folder(tmp_path, "customs", report.load_id) / "set_aside.parquet"
    found = duckdb.sql(f"select line, reason from read_parquet('{file}') order by line").fetchall()
    assert found == [
        (row["line"], row["reason"]) for row in truth["bad_rows"] if row["file"] == name
    ]


def test_sheet_and_panel_of_the_yearbook_print_the_same(
    world: Path, truth: dict[str, Any], tmp_path: Path
) -> None:
    found: dict[str, dict[tuple[str, str, str, int], float]] = {}
    for name in ("SIMULATED_city_yearbook_2013.xlsx", "SIMULATED_city_panel_2008_2021.csv"):
        report, _ = load_file(get_source("yearbook"), world / "yearbook" / name, tmp_path)
        assert report.set_aside_n == 0
        file = load_folder(tmp_path, "yearbook", report.load_id) / "yearbook__indicators.parquet"
        rows = duckdb.sql(
            f"select city_name, scope, indicator, year, value from read_parquet('{file}') where"
            " year = 2012"
        ).fetchall()
        found[name] = {row[:4]: row[4] for row in rows}
    sheet, panel = found.values()
    both = sheet.keys() & panel.keys()
    assert len(both) > 3000
    assert [key for key in both if sheet[key] != panel[key]] == []
    hangzhou = {
        (row["scope"], row["indicator"]): row["value"]
        for row in truth["yearbook"]
        if (row["city_code"], row["year"]) == ("3301", 2012)
    }
    known = {
        scope_indicator: {**sheet, **panel}["杭州市", *scope_indicator, 2012]
        for scope_indicator in hangzhou
        if scope_indicator != ("city", "gdp_cny")
    }
    assert len(known) > 30
    assert known == pytest.approx({key: hangzhou[key] for key in known}, rel=1e-12)


@pytest.mark.parametrize(
    "name",
    [
        "SIMULATED_oecd_national_io_2021ed_CHN_2000.csv",
        "SIMULATED_oecd_national_io_2021ed_CHN_2018.csv",
    ],
)
def test_national_tables_balance(world: Path, name: str) -> None:
    table = (
        pd.read_csv(world / "input_output" / name, dtype={"Code": str})
        .set_index("Code")
        .drop(columns="Description")
    )
    industries = [f"{i:02d}" for i in range(1, 46)]
    sold = table.loc[industries].sum(axis=1)
    made = table.loc[[*industries, "TXS_IMP_FNL", "TXS_INT_FNL", "VALU"], industries].sum(axis=0)
    assert (sold - table.loc["OUTPUT", industries]).abs().max() < 0.05
    assert (made - table.loc["OUTPUT", industries]).abs().max() < 0.05
    assert (table.loc[industries, industries] >= 0).all(axis=None)
    assert (table.loc["VALU", industries] > 0).all()


def test_the_icio_prints_china_and_mexico_in_parts(world: Path) -> None:
    table = pd.read_csv(world / "input_output" / "SIMULATED_ICIO2021_2010.csv", index_col="V1")
    output = table.loc["OUTPUT"]
    assert output[output.index.str.startswith(("CHN_", "MEX_"))].eq(0).all()
    assert (output[output.index.str.match("(CN1|CN2|MX1|MX2|USA)_(?!97T98)\\d")] > 0).all()
    rows = table.index[table.index.str.contains(r"_\d")]
    assert (table.loc[rows, "TOTAL"] - output[rows]).abs().max() < 0.01
    assert (table.drop(index="OUTPUT")[rows].sum(axis=0) - output[rows]).abs().max() < 0.01


def test_the_nomenclature_changes_in_every_way() -> None:
    goods = nomenclature()
    for year in (1996, 2007, 2012, 2017):
        revision = goods.revisions[year]
        kinds = {kind for _, _, kind in revision.correlation()}
        assert kinds >= {"1:1", "n:1", "1:n"} and (year == 1996 or "n:n" in kinds)
        assert set(revision.converted) == set(revision.sources)
        assert all(revision.converted[code] in olds for code, olds in revision.sources.items())
    assert any(
        code in goods.codes and old != code for code, old in goods.revisions[2017].converted.items()
    ), "a number that changed its meaning"
    assert {code[0] for code in goods.codes} == set("0123456789")


def test_the_class_of_a_unit_follows_the_code_lists() -> None:
    known: dict[str, list[Any]] = defaultdict(list)
    for unit in units():
        known[unit.name].append(unit)
    (fuyang,) = known["富阳市"]
    assert fuyang.intervals() == [[2000, 2014, False], [2015, 2021, True]]
    (shaoxing,) = known["绍兴县"]
    assert shaoxing.postcode == "312030"
    assert shaoxing.intervals() == [[2000, 2013, False], [2014, 2021, True]]


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("two years of work", encoding="utf-8")
    with pytest.raises(CitytradeError, match="holds something that is not a simulated world"):
        simulate(tmp_path, "small", 1)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.docx"]


def test_an_unknown_scale_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CitytradeError, match="Choose small or paper"):
        simulate(tmp_path / "world", "huge", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_older_world_whole(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = simulate(tmp_path / "world", "small", 1)

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(world_module, "_write_tables", fail)
    with pytest.raises(OSError, match="no space"):
        simulate(target, "small", 2)
    assert digests(target) == digests(world)
    assert [file.name for file in tmp_path.iterdir()] == ["world"]


def test_a_world_knows_whether_it_is_current(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world_is_current(world, "small", 1)
    assert not world_is_current(world, "paper", 1)
    assert not world_is_current(world, "small", 2)
    assert not world_is_current(world.parent, "small", 1)
    monkeypatch.setattr(world_module, "simulator_version", lambda: "another")
    assert not world_is_current(world, "small", 1)


def test_records_written_straight_into_the_lake_have_its_shape_and_their_truth(
    tmp_path: Path,
) -> None:
    write_customs_lake(tmp_path, 8_000, 5)
    records = f"read_parquet('{tmp_path}/customs__records/*.parquet')"
    described = {
        name: kind.lower()
        for name, kind, *_ in duckdb.sql(f"describe select * from {records}").fetchall()
    }
    assert described == stored(lake_tables()["customs__records"])
    count, first, last, lines = (
        duckdb.sql(
            f"select count(*), min(year), max(year), count(distinct line) from {records}"
        ).fetchone()
        or ()
    )
    assert (count, first, last, lines) == (8_000, 2000, 2021, 8_000)
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    exports = duckdb.sql(
        f"select sum(value_cents)::bigint from {records} where flow = 'export'"
    ).fetchone() or (0,)
    assert 0 < sum(row["export_value_cents"] for row in truth["city_year"]) < exports[0]
