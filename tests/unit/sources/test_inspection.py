"""What `citytrade inspect` says is true, whatever the file, and what it proposes is read."""

from __future__ import annotations

import argparse
import os
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from flows.commands.inspecting import MANY, look
from flows.commands.looking import run_inspect
from flows.telling.inspected import inspection_text
from warehouse.errors import SourceError
from warehouse.settings.config import load_config
from warehouse.sources import get_source
from warehouse.sources.inspection import excerpt as excerpts
from warehouse.sources.inspection.examine import examine, opened
from warehouse.sources.inspection.inspected import inspect
from warehouse.sources.reading.loading import load_file
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.stata import stata_frame
from warehouse.sources.templates import template, templates

PANEL = (
    "城市,年份,地区生产总值(万元),人均GDP\n杭州市,2015,100,3\n宁波,2016,90,2\n杭洲市,2016,80,2\n"
)


def text_of(path: Path) -> str:
    return inspection_text(inspect(path))


def test_a_recognised_panel_is_told_head_by_head(tmp_path):
    file = tmp_path / "panel.csv"
    file.write_bytes(PANEL.encode("gb18030"))
    text = text_of(file)
    assert "kind: text (GB18030, commas between values)" in text
    assert "recognised: yearbook, layout panel_plain_heads" in text
    assert "rows: 3 read, 2 would be accepted, 1 set aside" in text
    assert "years: 2015 to 2016" in text
    assert "cities: 2 found, 1 names match none" in text
    assert "not found: 杭洲市 (nearest names: " in text
    assert "地区生产总值(万元)  gdp_cny    万元 = 10,000 CNY" in text
    assert "not known; nearest known: GDP" in text
    assert f'[sources.yearbook]\n    files = ["{file}"]' in text


def test_utf16_and_stata_are_recognised_as_in_a_refresh(tmp_path):
    (tmp_path / "a.csv").write_bytes(PANEL.encode("utf-16"))
    assert "kind: text (UTF-16-LE)" in text_of(tmp_path / "a.csv")
    frame = pd.DataFrame({"城市": ["杭州市"], "年份": [2015], "地区生产总值万元": [100.0]})
    frame.to_stata(tmp_path / "b.dta", write_index=False, version=118)
    text = text_of(tmp_path / "b.dta")
    assert "kind: a Stata file (format 118)" in text
    assert "recognised: yearbook, layout panel_glued_units" in text
    frame.to_parquet(tmp_path / "c.parquet")
    assert "recognised: yearbook, layout panel_glued_units" in text_of(tmp_path / "c.parquet")


def test_hidden_sheets_and_misprinted_scopes_are_named(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["城市", "年份", "年末总人口(万人)"])
    book.active.append(["杭州市", 2015, 700])
    hidden = book.create_sheet("底稿")
    hidden.append(["城市", "年份", "年末总人口(万人)"])
    hidden.sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    text = text_of(tmp_path / "a.xlsx")
    assert "sheets: Sheet (2 rows, 3 columns)" in text
    assert "hidden, not read: 底稿: (the whole sheet), the sheet is hidden" in text


def test_an_archive_is_told_member_by_member(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("读我.txt", "x")
        archive.writestr("一.csv", PANEL)
        archive.writestr("二.csv", "城市,年份,存款\n")
    text = text_of(tmp_path / "a.zip")
    assert "kind: a zip archive" in text
    assert "members: 一.csv" in text
    assert "a.zip/一.csv: recognised: yearbook, layout panel_plain_heads" in text
    assert "a.zip/二.csv: refused by yearbook: a.zip/二.csv, line 1: shows none of the" in text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "kind: an empty file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "kind: a picture (PNG)"),
        (b"\xff\xd8\xff\xe0" + b"x" * 90, "kind: a picture (JPEG)"),
        (b"%PDF-1.7\n%\xe2\xe3", "not read: a PDF is not read: extract its tables"),
        (b"\x1f\x8b\x08" + b"x" * 90, "is a gzip archive, which is not read directly"),
        (b"PK\x03\x04" + b"\x07" * 400, "not readable: is cut off or not a"),
        (b"<html><body>404</body></html>", "is a web page saved"),
        (b"\x00\x01\x02\x03" * 500, "kind: bytes that are no text"),
        (b"just a remark\n", "it holds no table with two heads or more"),
        (b"[1, 2]", "of JSON only lists of administrative divisions are read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 900, "not readable: cannot be read as a wo"),
        ("Zürich,Année,x\nGenève,2015,1\n".encode("latin-1"), "neither UTF-8 nor GB18030"),
        (b"name,n\nx,1\ny,2\n", "no column holds names of cities"),
        ("省份,年份,x1\n浙江省,2015,3\n".encode(), "it holds provinces, not cities"),
    ],
)
def test_any_file_gets_a_true_sentence(tmp_path, content, said):
    file = tmp_path / "a.bin"
    file.write_bytes(content)
    assert said in text_of(file)


def test_what_is_no_file_is_said(tmp_path):
    for path in (tmp_path, tmp_path / "nothing.csv", Path(os.devnull)):
        with pytest.raises(SourceError):
            inspect(path)


def test_names_and_cells_cannot_speak_to_the_terminal(tmp_path):
    file = tmp_path / "a\x1b[31m.csv"
    file.write_text("城市,年份,x\x1b[2J\n杭州市,2015,1\n", encoding="utf-8")
    text = text_of(file)
    assert "\x1b" not in text
    block = inspect(file).block
    assert tomllib.loads(block)["sources"]["yearbook"]["tables"]["a_31m"]["files"] == [str(file)]


def test_nothing_is_written_beside_the_file_and_nothing_is_left(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "panel.csv").write_text(PANEL, encoding="utf-8")
    (folder / "own.csv").write_text("城市,年份,x1\n杭州市,2015,1\n", encoding="utf-8")
    (folder / "bad.dta").write_bytes(b"<stata_dta><header><release>118</release>")
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    for file in sorted(folder.iterdir()):
        inspect(file)
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before
    assert not list(scratch.iterdir())


def block_is_read(tmp_path: Path, block: str, file: Path) -> int:
    """Cells that a configuration with this block accepts."""
    config = tmp_path / "my.toml"
    config.write_text(f'[warehouse]\nhome = "home"\n\n{block}\n', encoding="utf-8")
    settings = load_config(config).sources["yearbook"]
    report, _ = load_file(get_source("yearbook"), file, tmp_path / "lake", settings.options)
    assert report.layout == "own_table"
    return report.accepted_n


def test_a_proposed_block_is_one_that_reads(tmp_path):
    """Known heads with their unit under heads of keys that no layout knows."""
    file = tmp_path / "mine.csv"
    heads = "Ctnm,Sgnyea,地区生产总值(万元),x1,年末总人口(万人)"
    rows = [f"{city},{year},{year},0.5,700" for city in ("杭州", "宁波") for year in (2014, 2015)]
    file.write_text("\n".join([heads, *rows]) + "\n", encoding="utf-8")
    found = inspect(file)
    assert not found.readings
    assert 'keys = { city = "Ctnm", year = "Sgnyea" }' in found.block
    assert 'gdp_cny = ["地区生产总值(万元)", "万元"]' in found.block
    assert '# ? = ["x1", "?"]    # 0.5 to 0.5' in found.block
    assert found.tried is not None and found.tried.refusal is None
    assert found.tried.read_n == sum(found.tried.tables.values()) == 8
    assert block_is_read(tmp_path, found.block, file) == 8


def test_long_tables_and_years_as_heads_are_proposed_in_their_shape(tmp_path):
    long = tmp_path / "long.csv"
    rows = [f"{city},2015,{what},5" for city in ("杭州", "宁波")
            for what in ("地区生产总值(万元)", "年末总人口(万人)")]  # fmt: skip
    long.write_text("\n".join(["Ctnm,Sgnyea,what,how_much", *rows]) + "\n", encoding="utf-8")
    found = inspect(long)
    assert 'indicator = "what", value = "how_much"' in found.block
    assert block_is_read(tmp_path, found.block, long) == 4

    across = tmp_path / "across.csv"
    heads = "prefecture,what,2015,2014,2013"
    rows = [f"{city},地区生产总值(万元),3,2,1" for city in ("杭州", "宁波")]
    across.write_text("\n".join([heads, *rows]) + "\n", encoding="utf-8")
    found = inspect(across)
    assert 'years = "heads", city = "prefecture", indicator = "what"' in found.block
    assert block_is_read(tmp_path, found.block, across) == 6


def test_foreign_names_with_a_list_beside_them_are_translated(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "list"
    for row in (["Prefecture", "地级市"], ["Hangzhou", "杭州"], ["Ningbo", "宁波"]):
        book.active.append(row)
    sheet = book.create_sheet("SO2 emission")
    for row in (["SO2", 2013, 2014, 2015], ["Hangzhou", 1, 2, 3], ["Ningbo", 4, 5, 6]):
        sheet.append(row)
    book.save(tmp_path / "gpi.xlsx")
    block = inspect(tmp_path / "gpi.xlsx").block
    assert 'city_names = { sheet = "list", from = "Prefecture", to = "地级市" }' in block
    assert '["SO2 emission"' in block


def test_ratios_are_never_taken_for_their_parts(tmp_path):
    file = tmp_path / "ratios.csv"
    heads = ["city", "year", "gdp_growth_pct", "fdi_gdp_ratio", "人均地区生产总值"]
    file.write_text(",".join(heads) + "\n杭州,2015,7,0.1,3\n宁波,2015,8,0.2,4\n", encoding="utf-8")
    block = inspect(file).block
    assert "gdp_cny" not in block
    assert "fdi_usd" not in block


@pytest.mark.parametrize(
    ("source", "lacks"),
    [("customs", "需"), ("postcodes", "zipCode"), ("policies", "provenance")],
)
def test_how_near_a_file_came_is_said_by_heads(tmp_path, source, lacks):
    """Half of a template's heads: the layout is named, with what is missing."""
    chosen = templates(source)[0]
    kept = chosen.heads[: len(chosen.heads) // 2 + 1]
    assert not isinstance(chosen.rows, str)
    file = tmp_path / "part.csv"
    lines = [",".join(row[: len(kept)]) for row in chosen.rows]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = inspect(file)
    if not found.readings:
        near = found.near[0]
        assert near.source == source
        assert set(near.found) == set(kept)
        assert set(near.missing) == set(chosen.heads) - set(kept)


def test_what_only_the_owner_knows_is_asked_for(tmp_path):
    """An official sheet without its yearbook, and customs records without their direction."""
    book = openpyxl.Workbook()
    for row in (
        ["2-12 对外经济贸易(全市)"], ["单位：万元"],
        ["城 市", "货物进口额", "货物出口额"], ["杭州市", 5, 6], ["宁波市", 7, 8],
    ):  # fmt: skip
        book.active.append(row)
    book.save(tmp_path / "sheet.xlsx")
    text = text_of(tmp_path / "sheet.xlsx")
    assert "it does not say all" in text
    assert "rows: 4 read, 4 would be accepted, 0 set aside" in text
    assert "yearbook = 2024      # put the yearbook's own year here" in text


@pytest.mark.parametrize("version", [114, 117, 118])
def test_the_first_rows_of_a_stata_file_are_a_stata_file(tmp_path, version):
    rows = 5_000
    city = pd.Categorical(np.where(np.arange(rows) % 2, "Hangzhou", "Ningbo"))
    frame = pd.DataFrame({"city": city, "x": np.arange(rows) * 1.5, "text": ["ab"] * rows})
    path = tmp_path / "a.dta"
    frame.to_stata(path, write_index=False, version=version)
    part, taken = excerpts.excerpt(RawFile(path, "0"), tmp_path / "cut", 100, 1_000)
    assert taken == "its first 100 rows"
    assert part.path != path
    read = stata_frame(part)
    assert len(read) == 100
    assert read["city"].tolist() == frame["city"].astype(str).tolist()[:100]
    assert read["x"].tolist() == frame["x"].tolist()[:100]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16", "utf-16-be"])
def test_the_first_rows_of_a_text_end_with_a_line(tmp_path, encoding):
    path = tmp_path / "a.csv"
    lines = [
        f"杭州市,{year},ਊ{year}" for year in range(3_000)
    ]  # U+0A0A holds the byte of a line break
    path.write_bytes("\n".join(["城市,年份,x", *lines]).encode(encoding))
    part, taken = excerpts.excerpt(RawFile(path, "0"), tmp_path / "cut", 100, 1_000)
    assert taken == "its first 100 rows"
    assert part.path.read_bytes().decode(encoding).split("\n")[:-1] == ["城市,年份,x", *lines[:100]]


def test_a_large_file_is_judged_by_its_first_rows(tmp_path):
    file = tmp_path / template("customs").file
    lines = template("customs").as_bytes().decode("utf-8-sig").splitlines()
    file.write_text("\n".join([lines[0], *[lines[1]] * 3_000]) + "\n", encoding="utf-8")
    with opened(file) as (raw, folder):
        (part,) = examine("customs", raw, folder, rows_n=50, whole_bytes=1_000)
    assert part.taken == "its first 50 rows"
    assert part.read_n == 50
    assert part.refusal is None


def test_many_files_are_told_in_their_order(tmp_path, capsys):
    """From MANY on two processes look; what is said is the same as of each alone."""
    files = [tmp_path / f"{at}.csv" for at in range(MANY)]
    for file in files:
        file.write_text(f"城市,年份,GDP(亿元)\n杭州市,20{file.stem}0,1\n", encoding="utf-8")
    files.insert(2, tmp_path / "none.csv")
    assert run_inspect(argparse.Namespace(files=files, config=None)) == 1
    told = capsys.readouterr()
    assert [line for line in told.out.splitlines() if line.endswith(".csv")] == [
        file.name for file in files if file.stem != "none"
    ]
    assert "none.csv" in told.err
    assert look(None, files[0]) == (told.out[: told.out.index("\n\n")], True)
