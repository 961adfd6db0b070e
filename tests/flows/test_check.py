"""`citytrade refresh --check` says what a refresh would read, in every configured file, and changes
nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.refresh.check import check
from warehouse.settings.config import load_config
from warehouse.sources import SOURCES
from warehouse.sources.templates import template, templates, write_template


def checked(config: Path) -> tuple[int, str]:
    lines: list[str] = []
    code = check(load_config(config), lines.append)
    return code, "\n".join(lines)


def contents(folder: Path) -> dict[str, int]:
    return {str(file): file.stat().st_mtime_ns for file in sorted(folder.rglob("*"))}


@pytest.fixture
def configured(tmp_path):
    """A configuration of every source that has a template, with all of its tables."""
    lines = ['[warehouse]\nhome = "home"']
    for source in SOURCES:
        for one in templates(source):
            folder = tmp_path / source
            folder.mkdir(exist_ok=True)
            write_template(one, folder / one.file)
            said = f'[sources.{source}]\nfiles = ["{source}/*"]'
            if said not in lines:
                lines.append(said)
    config = tmp_path / "my.toml"
    config.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return config


def test_every_file_is_told_and_nothing_is_changed(tmp_path, configured):
    before = contents(tmp_path)
    code, text = checked(configured)
    assert code == 0, text
    assert contents(tmp_path) == before
    assert not (tmp_path / "home").exists()
    for source in SOURCES:
        for one in templates(source):
            assert f"  {source}: {one.file}: {one.layout}, " in text
    assert "none would be refused. Nothing was loaded or changed." in text


def test_a_file_that_would_be_refused_is_named_and_the_exit_code_says_so(tmp_path, configured):
    (tmp_path / "postcodes" / "odd.csv").write_text("a,b\n1,2\n")
    (tmp_path / "customs" / "cut.csv").write_bytes(template("customs").as_bytes()[:-90])
    code, text = checked(configured)
    assert code == 1
    assert "postcodes: odd.csv: REFUSED" in text
    assert "REFUSED postcodes: odd.csv, line 1: shows none of the layouts known" in text
    assert "2 would be refused" in text


def test_a_pattern_without_files_is_a_refusal(tmp_path, configured):
    for file in (tmp_path / "history").iterdir():
        file.unlink()
    code, text = checked(configured)
    assert code == 1
    assert "REFUSED history: " in text and "no file matches" in text


def test_rows_that_would_be_set_aside_and_heads_unread_are_counted(tmp_path):
    (tmp_path / "a.csv").write_text(
        "城市,年份,年末总人口(万人),备注\n杭州市,2015,700,x\n毫不市,2015,1,x\n", encoding="utf-8"
    )
    config = tmp_path / "my.toml"
    config.write_text('[warehouse]\nhome = "home"\n[sources.yearbook]\nfiles = ["a.csv"]\n')
    code, text = checked(config)
    assert code == 0
    assert (
        "yearbook: a.csv: panel_plain_heads, 2 rows, 1 set aside (unknown_city 1),"
        " 1 head unread (备注)"
    ) in text


def test_a_world_that_is_not_written_yet_is_said(tmp_path):
    config = tmp_path / "my.toml"
    config.write_text(
        '[warehouse]\nhome = "home"\n[simulate]\ndirectory = "world"\nscale = "small"\n'
        '[sources.customs]\nfiles = ["world/customs/*"]\n'
    )
    code, text = checked(config)
    assert code == 0
    assert "is not written yet" in text
    assert not (tmp_path / "world").exists()
