"""Which years of the fact table Spark writes: those whose digest is new, and those whose kept files
are no longer whole. And what a year's digest is made of.
"""

from __future__ import annotations

import copy
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from flows.refresh import engine, kept_years, spark_job, year_digests
from flows.refresh.basis import Basis
from flows.refresh.dbt import Built
from flows.refresh.kept_years import KEPT, decide, keep, link, partition, uncounted
from flows.refresh.leftovers import leftovers
from tests.conftest import PROJECT
from warehouse.lake.loads import SCHEMA, LoadReport
from warehouse.settings.config import Config

FACT = "int_trade__exports"
DIGESTS = {2003: "a", 2004: "b", 2005: "c"}


def built(table: Path, rows: dict[int, str]) -> Path:
    """A table by years as Spark leaves it: one file a year with rows."""
    for year, text in rows.items():
        partition(table, year).mkdir(parents=True)
        (partition(table, year) / f"part-{year}.parquet").write_text(text, encoding="utf-8")
        (partition(table, year) / f".part-{year}.parquet.crc").write_text("x", encoding="utf-8")
    table.mkdir(exist_ok=True)
    return table


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The three years kept, of which 2005 has no rows."""
    folder = tmp_path / "home" / "spark" / "exports"
    table = built(tmp_path / "first", {2003: "three", 2004: "four"})
    keep(folder, decide(None, DIGESTS), table)
    return folder


def content(table: Path) -> dict[str, str]:
    return {
        file.relative_to(table).as_posix(): file.read_text(encoding="utf-8")
        for file in sorted(table.glob("*/*.parquet"))
    }


def test_without_kept_years_all_are_written(tmp_path: Path) -> None:
    for folder in (None, tmp_path / "nowhere"):
        decided = decide(folder, DIGESTS)
        assert decided.written == (2003, 2004, 2005)
        assert decided.told(FACT) == [f"  Spark writes all 3 years of {FACT}"]


def test_a_year_is_written_where_its_digest_is_new_and_linked_elsewhere(
    tmp_path: Path, kept: Path
) -> None:
    decided = decide(kept, {**DIGESTS, 2004: "new", 2006: "d"})
    assert decided.written == (2004, 2006)
    assert decided.told(FACT) == [
        f"  Spark writes 2 of 4 years of {FACT}: 2004, 2006; 2 are the same"
    ]
    table = built(tmp_path / "second", {2004: "4", 2006: "6"})
    assert link(kept, decided, table) == [2003], "2005 has no rows, and so no partition"
    whole = {
        "year=2003/part-2003.parquet": "three", "year=2004/part-2004.parquet": "4",
        "year=2006/part-2006.parquet": "6",
    }  # fmt: skip
    assert content(table) == whole
    linked = partition(table, 2003) / "part-2003.parquet"
    assert linked.stat().st_nlink == 3, "the first build's, the kept one and this build's"

    keep(kept, decided, table)
    after = decide(kept, {**DIGESTS, 2004: "new", 2006: "d"})
    assert after.written == ()
    assert after.told(FACT) == [f"  Spark writes no year of {FACT}: all 4 are the same"]
    again = built(tmp_path / "third", {})
    assert link(kept, after, again) == [2003, 2004, 2006]
    assert content(again) == whole
    assert decide(kept, DIGESTS).written == (2004,), "the former 2004 is over"


def test_years_that_no_digest_names_any_more_go(tmp_path: Path, kept: Path) -> None:
    decided = decide(kept, {2004: "b", 2006: "d"})
    keep(kept, decided, built(tmp_path / "second", {2006: "6"}))
    assert sorted(path.name.split(".")[0] for path in kept.iterdir()) == ["2004", "2006", "kept"]


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda file: file.unlink(), "part-2003.parquet is gone"),
        (lambda file: file.write_text("thr", encoding="utf-8"), "part-2003.parquet was changed"),
        (lambda file: file.write_text("THREE", encoding="utf-8"), "part-2003.parquet was changed"),
    ],
    ids=["gone", "shorter", "as long"],
)
def test_a_year_that_is_damaged_is_written_anew_and_told(kept: Path, harm: Any, why: str) -> None:
    harm(next(kept.glob("2003.*/*.parquet")))
    decided = decide(kept, DIGESTS)
    assert decided.written == (2003,)
    assert decided.told(FACT) == [
        f"  2003 of {FACT} is not as it was kept ({why}), so it is written anew",
        f"  Spark writes 1 of 3 years of {FACT}: 2003; 2 are the same",
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"form": 0, "years": {}}', '{"form": 1, "yea'])
def test_a_list_that_cannot_be_read_counts_for_nothing(kept: Path, text: str) -> None:
    (kept / KEPT).write_text(text, encoding="utf-8")
    assert decide(kept, DIGESTS).written == (2003, 2004, 2005)
    assert len(uncounted(kept)) == 3


def test_a_home_that_has_moved_keeps_its_years(tmp_path: Path, kept: Path) -> None:
    moved = kept.rename(tmp_path / "elsewhere")
    assert decide(moved, DIGESTS).written == ()


@pytest.mark.parametrize("when", ["link", "replace"])
def test_keeping_that_is_cut_short_leaves_the_former_years(
    tmp_path: Path, kept: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    decided = decide(kept, {**DIGESTS, 2004: "new"})
    table = built(tmp_path / "second", {2004: "4"})
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(os, when, cut)
        keep(kept, decided, table)
    assert decide(kept, DIGESTS).written == ()
    assert uncounted(kept), "a half, which the next refresh removes"


def test_a_disk_without_links_gets_copies(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    table = built(tmp_path / "second", {})
    link(kept, decide(kept, DIGESTS), table)
    assert content(table)["year=2003/part-2003.parquet"] == "three"


@pytest.mark.parametrize(
    ("basis", "reads", "keeps"),
    [(Basis(), True, True), (Basis(why_not="asked for by --full"), False, True),
     (None, False, False)],
    ids=["a refresh", "a full one", "a rebuild"],
)  # fmt: skip
def test_what_is_kept_is_for_the_next_refresh_unless_it_is_full(
    tiny_config: Config,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    basis: Basis | None,
    reads: bool,
    keeps: bool,
) -> None:
    home = kept_years.folder_of(tiny_config.home)
    asked: list[Path | None] = []

    def on_spark(config: Config, lake_set: Path, work: Path, say: Any, kept: Path | None) -> Any:
        asked.append(kept)
        folder = {"schema": "intermediate", "name": FACT}
        built(work / engine.WAREHOUSE / "intermediate.db" / FACT, {2003: "three", 2004: "four"})
        (work / "dbt").mkdir()
        nodes = json.dumps({"nodes": {"fact": folder}})
        (work / "dbt" / "manifest.json").write_text(nodes, encoding="utf-8")
        decided = json.dumps(asdict(decide(kept, DIGESTS)))
        (work / spark_job.DECIDED).write_text(decided, encoding="utf-8")
        return {FACT: "files"}

    monkeypatch.setattr(engine, "build_on_spark", on_spark)
    monkeypatch.setattr(engine.dbt, "build", lambda *_: Built(1, 1, (), ()))
    engine.build(tiny_config, tmp_path, tmp_path / "build", "spark", lambda text: None, basis)
    assert asked == [home if reads else None]
    assert set(kept_years.kept_years(home)) == (set(DIGESTS) if keeps else set())
    assert leftovers(tiny_config) == []

    monkeypatch.setattr(engine.dbt, "build", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        engine.build(tiny_config, tmp_path, tmp_path / "next", "spark", lambda text: None, basis)
    assert set(kept_years.kept_years(home)) == (set(DIGESTS) if keeps else set())


def test_a_disk_that_is_full_costs_no_release(
    tiny_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept_years, "keep", full)
    monkeypatch.setattr(spark_job, "read_decided", lambda work: None)
    monkeypatch.setattr(engine, "_fact_folder", lambda work: work)
    said: list[str] = []
    engine.keep_years(tmp_path, tmp_path, said.append)
    assert said == [
        "  The years that Spark wrote cannot be kept for the next refresh: [Errno 28] No space left"
        " on device"
    ]


# --- what a digest is made of


def node(name: str, sql: str, materialized: str = "view", *reads: str) -> dict[str, Any]:
    return {
        "resource_type": "model", "name": name, "alias": name, "schema": "s", "raw_code": sql,
        "columns": {}, "config": {"materialized": materialized},
        "depends_on": {"nodes": [f"model.p.{other}" for other in reads], "macros": []},
    }  # fmt: skip


@pytest.fixture
def manifest() -> dict[str, Any]:
    """A fact that reads a table, and through two views another one and the lake."""
    records = node("stg", "select r.*, x.rate from {{ lake('customs__records') }} as r"
                          " join {{ lake('rates') }} as x on r.year = x.year")  # fmt: skip
    records["depends_on"]["macros"] = ["macro.p.lake"]
    judged = node(
        "judged",
        "select city, {{ var('choice') }} from {{ ref('stg') }} join {{ ref('place') }} where"
        " year between {{ var('first_year') }} and {{ var('last_year') }}",
        "view", "stg", "place",
    )  # fmt: skip
    nodes = [
        records, judged, node("place", "select * from {{ ref('cities') }}", "table", "cities"),
        node("cities", "select 1", "table"), node("mode", "select 1", "table"),
        node("fact", "select mode_id from {{ ref('judged') }} join {{ ref('mode') }}", "table",
             "judged", "mode"),
    ]  # fmt: skip
    return {
        "metadata": {"project_name": "p"},
        "nodes": {f"model.p.{one['name']}": one for one in nodes},
        "macros": {
            f"macro.p.{name}": {
                "name": name, "package_name": "p", "macro_sql": f"{name} 1",
                "depends_on": {"macros": ["macro.p.spark__lake"] if name == "lake" else []},
            }
            for name in ("lake", "spark__lake", "unused")
        },
    }  # fmt: skip


VARIABLES = {"choice": 1, "first_year": 2000, "last_year": 2021, "other": 1}


def test_tables_are_those_that_the_fact_reads_through_views(manifest: dict[str, Any]) -> None:
    found = {read.name: read for read in year_digests.reads(manifest, "fact")}
    assert {name: read.relation for name, read in found.items()} == {
        "mode": "s.mode", "place": "s.place", "rates": "",
    }  # fmt: skip
    assert found["mode"].columns(["records_n", "mode_id"]) == ["mode_id"]
    assert found["rates"].columns(["year", "rate", "load_id", "cny"]) == ["rate", "year"]


def test_a_star_takes_every_column_of_its_table(manifest: dict[str, Any]) -> None:
    sql = manifest["nodes"]["model.p.fact"]["raw_code"]
    for star in (sql.replace("mode_id", "*"), sql.replace("mode_id", "m.*, 1")):
        manifest["nodes"]["model.p.fact"]["raw_code"] = star
        found = {read.name: read for read in year_digests.reads(manifest, "fact")}
        assert found["mode"].columns(["records_n", "mode_id"]) == ["mode_id", "records_n"]


@pytest.mark.parametrize(
    ("change", "is_other"),
    [
        (lambda m, v: m["nodes"]["model.p.fact"].update(raw_code="select 2"), True),
        (lambda m, v: m["nodes"]["model.p.judged"].update(raw_code="select 2"), True),
        (lambda m, v: m["nodes"]["model.p.fact"].update(columns={"a": "bigint"}), True),
        (lambda m, v: m["macros"]["macro.p.spark__lake"].update(macro_sql="x"), True),
        (lambda m, v: v.update(choice=2), True),
        # What these lead to is seen in the tables themselves.
        (lambda m, v: m["nodes"]["model.p.place"].update(raw_code="select 2"), False),
        (lambda m, v: m["nodes"]["model.p.cities"].update(raw_code="select 2"), False),
        (lambda m, v: m["macros"]["macro.p.unused"].update(macro_sql="x"), False),
        (lambda m, v: v.update(other=2), False),
        (lambda m, v: v.update(last_year=2022), False),
    ],
)
def test_code_is_that_between_records_and_the_fact(
    manifest: dict[str, Any], change: Any, is_other: bool
) -> None:
    before = year_digests.code(manifest, "fact", VARIABLES)
    changed, variables = copy.deepcopy(manifest), dict(VARIABLES)
    change(changed, variables)
    assert (year_digests.code(changed, "fact", variables) != before) is is_other


def test_years_of_the_release_count_where_they_are_more_than_the_window(
    manifest: dict[str, Any],
) -> None:
    manifest["nodes"]["model.p.fact"]["raw_code"] += " where year = {{ var('last_year') }}"
    before = year_digests.code(manifest, "fact", VARIABLES)
    assert year_digests.code(manifest, "fact", {**VARIABLES, "last_year": 2022}) != before


def test_a_year_is_reached_by_what_is_its_own_and_by_what_is_of_all() -> None:
    own = {"rates": {2003: [1, "5"], 2004: [1, "6"]}}
    before = year_digests.digests(DIGESTS, {"code": "x"}, own)
    assert len(set(before.values())) == 3
    own_now = {"rates": {**own["rates"], 2004: [1, "7"]}}
    after = year_digests.digests(DIGESTS, {"code": "x"}, own_now)
    assert [year for year in DIGESTS if after[year] != before[year]] == [2004]
    after = year_digests.digests(DIGESTS, {"code": "y"}, own)
    assert not set(before.values()) & set(after.values())


def load(lake: Path, load_id: str, first: int | None, last: int | None, rows_n: int = 1) -> Path:
    """A load of customs records in a lake, and the file in it."""
    folder = lake / "loads" / "customs" / load_id
    folder.mkdir(parents=True)
    report = LoadReport("customs", load_id, "f", "0", 1, "l", rows_n, rows_n, first_year=first,
                        last_year=last, tables={"customs__records": rows_n})  # fmt: skip
    (folder / "report.json").write_text(json.dumps(asdict(report)), encoding="utf-8")
    file = folder / "customs__records.parquet"
    file.write_text(load_id, encoding="utf-8")
    return file


def test_a_load_reaches_the_years_that_it_says(tmp_path: Path) -> None:
    table = tmp_path / "sets" / "s" / "customs__records"
    table.mkdir(parents=True)
    (table / SCHEMA).write_text("columns", encoding="utf-8")
    (table / "by_hand.parquet").write_text("rows", encoding="utf-8")
    for load_id, first, last, rows_n in (
        ("one", 2003, 2003, 1), ("two", 2004, 2005, 1), ("unsaid", None, None, 1),
        ("without", None, None, 0),
    ):  # fmt: skip
        (table / f"{load_id}.parquet").symlink_to(load(tmp_path, load_id, first, last, rows_n))
    found = year_digests.loads_by_year(table, DIGESTS)
    named = {
        year: {said[1] for said in loads if said[0] == "customs"} for year, loads in found.items()
    }
    assert named == {2003: {"one", "unsaid"}, 2004: {"two", "unsaid"}, 2005: {"two", "unsaid"}}
    assert all(
        {said[0] for said in loads} == {"customs", SCHEMA, "by_hand.parquet"}
        for loads in found.values()
    )
    (table / "by_hand.parquet").write_text("ROWS", encoding="utf-8")
    after = year_digests.loads_by_year(table, DIGESTS)
    assert all(after[year] != found[year] for year in DIGESTS)


def test_what_is_joined_by_year_is_read_by_the_fact(small_release: Config) -> None:
    """The names in the code are those of the project, and the equality joins are there."""
    manifest = json.loads((small_release.current / "dbt" / "manifest.json").read_text())
    names = {read.name for read in year_digests.reads(manifest, spark_job.FACT)}
    assert names == {
        "int_concordance__hs2002", "int_geography__place", "int_geography__postcode_year",
        "int_time__year", "int_trade__firm_postcode", "int_trade__mode", "int_trade__partner",
        "int_trade__unit", "prices__exchange_rates",
    }  # fmt: skip
    assert names > year_digests.BY_YEAR
    between = [one["name"] for one in year_digests.between(manifest, spark_job.FACT)]
    assert between == [spark_job.FACT, "int_trade__judged", "stg_customs__records"]
    told = year_digests.code(manifest, spark_job.FACT, {"first_year": 2000, "last_year": 2021})
    assert told[2] == {}, "the window alone names the years"
    trade = PROJECT / "dbt_project" / "models"
    judged = (trade / "intermediate/trade/int_trade__judged.sql").read_text(encoding="utf-8")
    for join in (
        "w.year = d.year", "r.year = y.year", "r.year = h.year", "r.firm_code = f.firm_code and"
        " r.year = f.year",
    ):  # fmt: skip
        assert join in judged
