"""Prefect's database for a new home: migrated already, empty, and never in the place of another."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flows.processes import server_database
from flows.processes.server_database import NAME, NAMED_BY, begin


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMED_BY:
        monkeypatch.delenv(name, raising=False)
    server_database.main()


def rows_n(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(database)) as connection:
        names = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
        return {
            name: connection.execute(f'select count(*) from "{name}"').fetchone()[0]
            for (name,) in names
        }


def test_a_new_home_gets_every_table_and_no_row(tmp_path: Path) -> None:
    """No secret, no run and no key of one home may come into another."""
    begin(tmp_path)
    found = rows_n(tmp_path / NAME)
    assert {"flow_run", "task_run", "log", "configuration"} <= set(found)
    assert {name: n for name, n in found.items() if n} == {"alembic_version": 1}
    assert [file.name for file in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("case", ["no folder", "a full disk"])
def test_a_home_that_cannot_be_written_is_left_to_the_server(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PREFECT_HOME may be a user's own, which Prefect makes."""

    def full(_: Path, fresh: Path) -> None:
        fresh.write_bytes(b"a part")
        raise OSError(errno.ENOSPC, "No space left on device")

    if case == "a full disk":
        monkeypatch.setattr("shutil.copyfile", full)
    begin(tmp_path / "not_there" if case == "no folder" else tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", ["its own", "another server's", "named elsewhere", "none made"])
def test_nothing_takes_the_place_of_a_database(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / NAME
    if case == "its own":
        own.write_bytes(b"mine")
    elif case == "another server's":  # begun between the look and the copy
        monkeypatch.setattr(
            "shutil.copyfile", lambda _, fresh: (own.write_bytes(b"mine"), fresh.touch())
        )
    elif case == "named elsewhere":
        monkeypatch.setenv(NAMED_BY[0], "postgresql+asyncpg://somewhere/prefect")
    else:
        monkeypatch.setattr(server_database, "migrated", lambda: tmp_path / "not_there.db")
    begin(tmp_path)
    left = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert left == ({NAME: b"mine"} if case in ("its own", "another server's") else {})
