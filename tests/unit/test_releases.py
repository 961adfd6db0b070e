"""Releases after their publication: named, compared, rolled back, and the lake that they were made
from.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from flows.cli import main
from flows.doors.releases import diff_text, roll_back
from flows.processes import lock
from flows.refresh.inputs import PACKAGES
from flows.refresh.rebuild import rebuild
from tests.conftest import PROJECT, MakeRelease, unseal
from warehouse import connect, diff
from warehouse.errors import ReleaseError
from warehouse.lake.loads import (
    LoadReport,
    finish_load,
    finished_load,
    load_folder,
    make_set,
    prune_lake,
    switch_link,
)
from warehouse.releases.contents import table_contents
from warehouse.releases.diff import compare
from warehouse.releases.publish import (
    DATABASE,
    MANIFEST,
    current_release,
    named_release,
    next_release_id,
    release_names,
)
from warehouse.settings.config import Config
from warehouse.sources import lake_tables

START = datetime(2026, 1, 1, tzinfo=UTC)
CHANGED = (
    "update city_year set export_value_usd = 20.5 where city_code = '3301' and year = 2003; update"
    " city_year set hs6_n = hs6_n + 1; delete from city_year where year = 2005; insert into"
    " city_year values (2006, '3301', '杭州市', 1.0, 9, true); alter table city_year drop column"
    " is_open; alter table city_year add column gdp_cny double"
)


def test_a_comparison_names_every_change_by_panel_column_city_and_year(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    old, new = (
        make_release(START),
        make_release(START + timedelta(days=1), marker=2, change=CHANGED),
    )
    frame = diff(config=tiny_config)
    assert frame.attrs == {"old": old, "new": new}
    rows = (
        frame.drop(columns=["panel", "largest_relative_change"])
        .astype(object)
        .where(lambda part: part.notna(), None)
        .values.tolist()
    )
    assert rows == [
        ["column_added", "gdp_cny", None, None, 0, None, None],
        ["column_removed", "is_open", None, None, 4, None, None],
        ["row_added", None, "3301", 2006, 1, None, None],
        ["row_removed", None, "3301", 2005, 1, None, None],
        ["value_changed", "export_value_usd", "3301", 2003, 1, "10.25", "20.50"],
        ["value_changed", "hs6_n", "0101", 2004, 1, "2", "3"],
        ["value_changed", "hs6_n", "3301", 2003, 1, "5", "6"],
        ["value_changed", "hs6_n", "3301", 2004, 1, "7", "8"],
    ]
    assert frame.loc[4, "largest_relative_change"] == pytest.approx(1.0)
    assert frame.loc[5:, "largest_relative_change"].tolist() == pytest.approx([0.5, 0.2, 1 / 7])
    text = diff_text(frame, 40)
    assert text.startswith(f"From {old} to {new}:")
    assert [line.split()[:5] for line in text.splitlines() if "hs6_n" in line] == [
        ["city_year", "value", "changed", "hs6_n", "3"]
    ]


def test_a_manifest_names_the_version_of_every_package_that_a_release_is_computed_with() -> None:
    files = [
        file
        for folder in ("analysis/measures", "warehouse", "expectations", "dbt_project/models")
        for file in (PROJECT / folder).rglob("*.py")
    ]
    imported = {
        name
        for file in files
        for name in re.findall(
            r"^\s*(?:import|from) (\w+)(?:[. ].*)?$",
            file.read_text(encoding="utf-8"),
            flags=re.MULTILINE,
        )
    }
    distributions = importlib.metadata.packages_distributions()
    needed = {
        distributions[name][0].replace("_", "-")
        for name in imported - {*sys.stdlib_module_names}
        if name in distributions
    }
    assert {"duckdb", "scipy"} <= needed
    # openpyxl writes the simulated world and saves panels, PyYAML reads the models' descriptions
    # when the dictionary writes them, fsspec and httpx fetch what was published elsewhere; nothing
    # of a release is computed with any of these.
    assert needed - {"openpyxl", "PyYAML", "fsspec", "httpx", "citytrade"} <= {*PACKAGES}


def test_a_manifest_whose_release_is_no_name_is_refused(
    tiny_config: Config, make_release: MakeRelease, tmp_path: Path
) -> None:
    written = json.loads(
        (tiny_config.builds / make_release() / MANIFEST).read_text(encoding="utf-8")
    )
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps({**written, "release": "../../elsewhere"}), encoding="utf-8")
    with pytest.raises(ReleaseError, match="is no name of a release"):
        rebuild(tiny_config, str(kept), lambda _: None)


def _built(folder: Path, panel: str, grain: str) -> Path:
    folder.mkdir()
    with duckdb.connect(str(folder / DATABASE)) as connection:
        connection.execute(
            f"create table p as {panel}; create schema meta; create table meta.panels as select 'p'"
            f" as panel, '{grain}' as grain"
        )
    return folder


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (("select 'a' as hs, 2 as x", "hs"), ("select 'a' as hs, 2 as x", "hs"), []),
        (
            ("select 'a' as hs, 2 as x", "hs"),
            ("select 'a' as hs, 3 as x", "hs"),
            [["value_changed", "x", 1, "2", "3"]],
        ),
        (
            ("select 'a' as a, 'b' as b, 2 as x", "a, b"),
            ("select 'a' as a, 'b' as b, 3 as x", "b, a"),
            [["value_changed", "x", 1, "2", "3"]],
        ),
        (
            ("select 1 as a, 2 as x", "a"),
            ("select 'one' as a, 2 as x", "a"),
            [["grain_changed", "a", 1, "INTEGER", "VARCHAR"]],
        ),
        (
            ("select 'a' as a, 2 as x", "a"),
            ("select 'a' as b, 2 as x", "b"),
            [["grain_changed", None, 1, None, None]],
        ),
        (
            ("select 'a' as a, 2 as x", "a"),
            ("select 'a' as a, '2' as x", "a"),
            [["type_changed", "x", 1, "INTEGER", "VARCHAR"]],
        ),
        (
            ("select 'a' as a, 2::uinteger as x", "a"),
            ("select 'a' as a, 2.5 as x", "a"),
            [
                ["type_changed", "x", 1, "UINTEGER", "DECIMAL(2,1)"],
                ["value_changed", "x", 1, "2", "2.5"],
            ],
        ),
    ],
)
def test_panels_of_any_shape_are_compared(
    tmp_path: Path, old: tuple[str, str], new: tuple[str, str], expected: list[list[object]]
) -> None:
    frame = compare(_built(tmp_path / "old", *old), _built(tmp_path / "new", *new))
    found = frame[["change", "column_name", "cells_n", "old_value", "new_value"]].astype(object)
    assert found.where(found.notna(), None).values.tolist() == expected


def test_the_way_back_undoes_every_change(tiny_config: Config, make_release: MakeRelease) -> None:
    make_release(START), make_release(START + timedelta(days=1), marker=2, change=CHANGED)
    forth, back = diff("previous", "current", tiny_config), diff("current", "previous", tiny_config)
    swapped = {
        "row_added": "row_removed",
        "row_removed": "row_added",
        "column_added": "column_removed",
        "column_removed": "column_added",
    }
    mirrored = back.assign(change=back["change"].replace(swapped)).rename(
        columns={"old_value": "new_value", "new_value": "old_value"}
    )
    keys = ["panel", "change", "column_name", "city_code", "year"]
    columns = [*keys, "old_value", "new_value"]
    pd.testing.assert_frame_equal(
        forth[columns].sort_values(keys, ignore_index=True),
        mirrored[columns].sort_values(keys, ignore_index=True),
    )


def test_equal_releases_have_no_difference_and_equal_contents(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    first = make_release(START)
    second = make_release(
        START + timedelta(days=1),
        change=(
            "create table copy as from city_year order by hs6_n; drop table city_year; alter table"
            " copy rename to city_year"
        ),
    )
    assert diff(config=tiny_config).empty
    assert (
        diff_text(diff(config=tiny_config), 40)
        == f"{first} and {second} have the same panels, rows and values."
    )
    contents = [table_contents(tiny_config.builds / name / DATABASE) for name in (first, second)]
    assert contents[0] == contents[1]
    assert contents[0]["main.city_year"][0] == 5
    assert not any(name.startswith("meta.") for name in contents[0])


def test_any_changed_value_changes_the_content(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    changes = [
        "",
        "update city_year set hs6_n = 6 where hs6_n = 5",
        "update city_year set city_name_zh = '杭州' where year = 2005",
        "update city_year set hs6_n = 9, year = 2006 where hs6_n = 7",
    ]
    names = [
        make_release(START + timedelta(days=at), change=change) for at, change in enumerate(changes)
    ]
    assert len(
        {
            table_contents(tiny_config.builds / name / DATABASE)["main.city_year"][1]
            for name in names
        }
    ) == len(changes)


def test_a_rollback_gives_readers_the_earlier_release_and_keeps_the_later(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = make_release(START), make_release(START + timedelta(days=1), marker=2)
    with connect(tiny_config) as early:
        assert main(["rollback", "--config", str(tiny_config.path)]) == 0
        assert early.execute("select marker from seeds_marker").fetchone() == (2,)
    assert f"Readers get release {old} now, no longer {new}." in capsys.readouterr().out
    assert current_release(tiny_config.home) == old
    assert release_names(tiny_config.home) == [old, new]
    with pytest.raises(ReleaseError, match="no release before the current one"):
        roll_back(tiny_config, "previous")
    with pytest.raises(ReleaseError, match="is the current one already"):
        roll_back(tiny_config, old)
    assert roll_back(tiny_config, new) == (old, new)
    unseal(tiny_config.builds / old)
    (tiny_config.builds / old / "more").write_bytes(b"x")
    with pytest.raises(ReleaseError, match=rf"\(more was added\)\. Run `citytrade rebuild {old}`"):
        roll_back(tiny_config, old)
    assert current_release(tiny_config.home) == new
    with lock.hold(tiny_config.home), pytest.raises(ReleaseError, match="already running"):
        roll_back(tiny_config, old)


def test_releases_are_named_by_their_beginning(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    old, new = make_release(START), make_release(START + timedelta(days=1), marker=2)
    assert named_release(tiny_config.home, "20260101") == old
    assert (
        named_release(tiny_config.home, "previous"),
        named_release(tiny_config.home, "current"),
    ) == (old, new)
    with pytest.raises(ReleaseError, match="2 releases begin with '2026'"):
        named_release(tiny_config.home, "2026")
    with pytest.raises(ReleaseError, match="is not in .* \\(there: "):
        named_release(tiny_config.home, "1999")


def test_a_clock_set_back_does_not_put_a_release_before_the_last(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    assert next_release_id(tiny_config.home, START, "abcdef") == "20260101T000000Z-abcdef"
    last = make_release(START)
    assert (
        next_release_id(tiny_config.home, START - timedelta(days=300), "abcdef")
        == "20260101T000001Z-abcdef"
    )
    assert (
        next_release_id(tiny_config.home, START + timedelta(days=1), "abcdef")
        == "20260102T000000Z-abcdef"
    )
    assert last < next_release_id(tiny_config.home, START, "000000")


def test_releases_are_listed_newest_first(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = make_release(START), make_release(START + timedelta(days=1), marker=2)
    assert main(["releases", "--format", "csv", "--config", str(tiny_config.path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["release", new, old]
    assert [line.split(",")[2] for line in lines[1:]] == ["true", "false"]


def _load(lake: Path, source: str, load_id: str) -> LoadReport:
    report = LoadReport(source, load_id, f"{load_id}.csv", load_id * 5, 1, "layout", 0, 0)
    folder = lake / "loads" / source / f".{load_id}.writing"
    folder.mkdir(parents=True)
    finish_load(lake, report, folder)
    return report


def test_the_lake_keeps_what_releases_were_made_from(tmp_path: Path) -> None:
    loads = [_load(tmp_path, "prices", name) for name in ("aaaa", "bbbb", "cccc")]
    sets = [make_set(tmp_path, part, lake_tables()) for part in (loads[:2], loads[1:], loads[2:])]
    switch_link(tmp_path / "active", Path("sets") / sets[2])
    leftover = load_folder(tmp_path, "prices", ".dddd.killed")
    leftover.mkdir()
    assert prune_lake(tmp_path, [("prices", "aaaa"), ("prices", "bbbb")], [sets[0]]) == 1
    assert [finished_load(tmp_path, "prices", load.load_id) is not None for load in loads] == [
        True,
        True,
        False,
    ]
    assert sorted(folder.name for folder in (tmp_path / "sets").iterdir()) == sorted(
        [sets[0], sets[2]]
    )
    assert not leftover.exists()
