"""The limit of memory: it holds for every database that a refresh opens, in every process, and what
goes over it lies in a folder that goes with the refresh.
"""

from __future__ import annotations

import multiprocessing
import os
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import duckdb
import pytest

from flows.refresh.reading import PROCESSES, _begin
from tests.conftest import PROJECT
from warehouse.database import connect, limited, settings, shared, spill_folder
from warehouse.releases.publish import begin_build
from warehouse.settings.config import Config

# Readers' doors and the dictionary are no part of a refresh.
ELSEWHERE = {"warehouse/query", "warehouse/simulate", "warehouse/dictionary"}
# over the limit of the test below, whatever the machine's memory
MUCH = "select count(*) from (select distinct i, hash(i)::varchar from range(2000000) r(i))"


def limit_of(connection: duckdb.DuckDBPyConnection) -> str:
    return str(connection.sql("select current_setting('memory_limit')").fetchall()[0][0])


def test_a_refresh_opens_no_database_but_within_the_limit() -> None:
    rooms = (
        f for room in ("warehouse", "flows", "expectations") for f in (PROJECT / room).rglob("*.py")
    )
    opens = {
        str(file.relative_to(PROJECT))
        for file in rooms
        if re.search(r"duckdb\.connect\(", file.read_text(encoding="utf-8"))
    }
    assert {name for name in opens if str(Path(name).parent) not in ELSEWHERE} == {
        "warehouse/database.py"
    }


def test_databases_are_held_to_the_limit_and_then_no_more(tmp_path: Path) -> None:
    own = limit_of(connect())
    with limited("500MB", tmp_path / "spill"):
        file = connect(tmp_path / "file.duckdb")
        assert {limit_of(one) for one in (connect(), file, shared())} == {"476.8 MiB"}
        assert limit_of(connect(memory="256MB")) == limit_of(connect(memory="256MB")) != "476.8 MiB"
        assert limit_of(connect(memory="2GB")) == "476.8 MiB"
        with limited(None, tmp_path / "inner"):
            assert (limit_of(connect()), settings()) == (own, {})
        assert settings() == {"memory_limit": "500MB"}
    assert {limit_of(one) for one in (connect(), shared())} == {own}


def test_readers_beside_each_other_share_the_limit(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with (
        limited("1000MB", tmp_path / "spill"),
        ProcessPoolExecutor(1, context, _begin, (os.getpid(),)) as pool,
    ):
        assert pool.submit(settings).result() == {"memory_limit": f"{1000 // PROCESSES}MB"}
        assert pool.submit(spill_folder).result() == tmp_path / "spill"


def test_what_is_over_the_limit_goes_with_the_refresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, spill = tmp_path / "here", tmp_path / "builds" / ".spill"
    here.mkdir()
    monkeypatch.chdir(here)
    with limited("64MB", spill):
        one, other = connect(), connect()
        for connection in (one, other):
            connection.execute("set threads = 1")
            assert connection.sql(MUCH).fetchall() == [(2_000_000,)]
        assert len(list(spill.iterdir())) == 2, "each spills into a folder of its own"
        one.close()
        other.close()
    assert not spill.exists() and not list(here.iterdir())


def test_a_build_begins_beside_what_its_refresh_spills(tiny_config: Config) -> None:
    with limited(None, tiny_config.spill):
        begin_build(tiny_config.home, "20260101T000000Z-abcdef")
        assert tiny_config.spill.is_dir()
    assert not tiny_config.spill.exists()
