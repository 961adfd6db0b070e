"""Publication: a release appears whole or not at all, and old ones go in time."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from tests.conftest import MakeRelease, unseal
from warehouse.errors import ReleaseError
from warehouse.releases.meta import drop_staging, former_releases, write_meta, write_set_aside
from warehouse.releases.publish import (
    DATABASE,
    PUBLISHED,
    RELEASE_PATTERN,
    begin_release,
    current_release,
    never_published,
    note_published,
    prune,
    publish,
    read_manifest,
    release_id,
    release_names,
)
from warehouse.settings.config import Config


def test_a_release_is_named_by_time_in_utc_and_input() -> None:
    moment = datetime.fromisoformat("2026-11-20T14:15:00+08:00")
    name = release_id(moment, "3fa9c1d2e4")
    assert name == "20261120T061500Z-3fa9c1"
    assert RELEASE_PATTERN.match(name)


def test_a_build_is_hidden_until_it_is_published(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    old = make_release(datetime(2026, 1, 1, tzinfo=UTC))
    build = begin_release(tiny_config.home, "20260102T000000Z-abcdef")
    (build / DATABASE).write_bytes(b"half")
    assert release_names(tiny_config.home) == [old]
    assert current_release(tiny_config.home) == old


def test_what_a_killed_build_left_is_removed_by_the_next(tiny_config: Config) -> None:
    first = begin_release(tiny_config.home, "20260102T000000Z-abcdef")
    (first / "half").write_text("x", encoding="utf-8")
    second = begin_release(tiny_config.home, "20260103T000000Z-abcdef")
    assert not first.exists()
    assert second.is_dir()


def test_a_build_without_a_database_is_not_published(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    old = make_release(datetime(2026, 1, 1, tzinfo=UTC))
    build = begin_release(tiny_config.home, "20260102T000000Z-abcdef")
    with pytest.raises(ReleaseError, match="nothing to publish"):
        publish(tiny_config.home, build, read_manifest(tiny_config.home, old))
    assert current_release(tiny_config.home) == old


def test_two_releases_in_one_second_are_refused(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    name = make_release()
    with pytest.raises(ReleaseError, match="two releases in one second"):
        begin_release(tiny_config.home, name)


def test_the_last_five_releases_stay(tiny_config: Config, make_release: MakeRelease) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    names = [make_release(start + timedelta(days=day), marker=day) for day in range(7)]
    assert release_names(tiny_config.home) == names[2:]
    assert os.readlink(tiny_config.current) == f"builds/{names[-1]}"
    assert sorted(entry.name for entry in tiny_config.builds.iterdir()) == names[2:]


def test_pruning_never_removes_the_current_release(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    names = [make_release(start + timedelta(days=day), marker=day) for day in range(4)]
    os.unlink(tiny_config.current)
    os.symlink(f"builds/{names[0]}", tiny_config.current)
    assert prune(tiny_config.home, kept=1) == names[1:3]
    assert release_names(tiny_config.home) == [names[0], names[3]]


def test_a_manifest_that_is_none_says_how_to_mend_it(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    name = make_release()
    unseal(tiny_config.builds / name)
    (tiny_config.builds / name / "release.json").write_text("{", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"release.json: not a release manifest .* --force"):
        read_manifest(tiny_config.home, name)


def test_former_releases_are_carried_on(tiny_config: Config, make_release: MakeRelease) -> None:
    name = make_release()
    rows = former_releases(tiny_config.builds / name / DATABASE)
    assert [(row["release"], row["is_this"], row["is_simulated"]) for row in rows] == [
        (name, False, True)
    ]


def test_rows_set_aside_are_cut_by_source_and_the_cut_is_told(tmp_path) -> None:
    file = tmp_path / "set_aside.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select case when i < 7 then 'customs' else 'prices' end as source,"
            " 'customs__records' as table_name, case when i % 2 = 0 then 'bad_date' else"
            " 'bad_flow' end as reason, 'x' as detail, null::bigint as value_cents, null::smallint"
            f" as year, 'f' as file_id, i as line, 'l' as load_id from range(9) t(i)) to '{file}'"
            " (format parquet)"
        )
        write_set_aside(connection, [file], limit=5)
        counts = connection.execute(
            "select source, reason, rows_n, listed_n from meta.set_aside_counts order by all"
        ).fetchall()
        listed = connection.execute(
            "select source, count(*) from meta.set_aside group by all order by all"
        ).fetchall()
    assert counts == [
        ("customs", "bad_date", 4, 4),
        ("customs", "bad_flow", 3, 1),
        ("prices", "bad_date", 1, 1),
        ("prices", "bad_flow", 1, 1),
    ]
    assert listed == [("customs", 5), ("prices", 2)]


def test_meta_has_all_tables_even_when_nothing_is_known() -> None:
    with duckdb.connect() as connection:
        write_meta(connection, {})
        write_set_aside(connection, [])
        names = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'meta' order by 1"
        ).fetchall()
    assert [name for (name,) in names] == [
        "checks",
        "columns",
        "customs_fates",
        "dictionary",
        "files",
        "loads",
        "panels",
        "problems",
        "releases",
        "set_aside",
        "set_aside_counts",
        "sources",
    ]


def test_views_over_the_lake_go_and_a_published_one_is_refused() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create schema staging; create schema intermediate; create view staging.s as select 1"
            " as x"
        )
        connection.execute(
            "create view intermediate.i as select * from staging.s; create view intermediate.j as"
            " select * from intermediate.i"
        )
        connection.execute("create view intermediate.k as select 2 as x")
        connection.execute(
            "create table main.t as select * from intermediate.j; create view main.fine as select *"
            " from t"
        )
        drop_staging(connection)
        views = connection.execute(
            "select view_name from duckdb_views() where not internal"
        ).fetchall()
        assert views == [("fine",)]
        connection.execute(
            "create schema staging; create view staging.s as select 1 as x; create view"
            " main.city_year as select * from staging.s"
        )
        with pytest.raises(ReleaseError, match="main.city_year is a view over the lake"):
            drop_staging(connection)


@pytest.mark.parametrize("left", [b"", b"\0" * 44])
def test_a_record_that_a_power_cut_emptied_condemns_no_release(
    tiny_config: Config, make_release: MakeRelease, left: bytes
) -> None:
    names = [make_release(datetime(2026, 1, day, tzinfo=UTC)) for day in (1, 2, 3)]
    (tiny_config.home / PUBLISHED).write_bytes(left)
    assert never_published(tiny_config.home) == []
    assert release_names(tiny_config.home) == names
    note_published(tiny_config.home, names[-1])
    assert (tiny_config.home / PUBLISHED).read_text(encoding="utf-8").split() == names


def test_the_first_release_is_none_until_readers_get_it(tiny_config: Config) -> None:
    tiny_config.home.mkdir()
    note_published(tiny_config.home)
    (tiny_config.builds / "20260102T000000Z-abcdef").mkdir(parents=True)
    assert never_published(tiny_config.home) == ["20260102T000000Z-abcdef"]
    assert release_names(tiny_config.home) == []
