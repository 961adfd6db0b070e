"""What a large csv is written as: line by line what a plain reading of the rules says."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from warehouse.sources.reading import parts
from warehouse.sources.reading.base import RawFile
from warehouse.sources.reading.transcoding import BLANK_LINE, BLANKS, transcode

HEADER = "0,1,2"
SIGNS = st.lists(st.sampled_from([*'a市,"', *BLANKS, "\n", "\r", "\r\n", BLANK_LINE]), max_size=40)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "gb18030"])


def plainly(line: str, commas: int) -> str:
    """A line that is one record, or a broken one."""
    if not line:
        return BLANK_LINE
    if line.count('"') % 2:
        line = line.replace('"', "")
        if line in ("", BLANK_LINE):
            return ";"
        return line if line.count(",") == commas else line.replace(",", ";")
    if '"' not in line and line.endswith(",") and line.count(",") > commas:
        return line.replace(",", ";")
    return line


@pytest.mark.parametrize("chunk", [3, 17, 1_000], ids="of {} bytes".format)
def test_lines_are_written_as_plainly_read(
    chunk: int, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a piece ends; empty lines at the end are left out, and no others."""
    monkeypatch.setattr(parts, "CHUNK", chunk)
    folder, number = tmp_path_factory.mktemp("lines"), itertools.count()

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(SIGNS.map("".join), ENCODINGS)
    @example('a,"b,c\n\n,a,b,\na,,\n"\r', "utf-8")
    @example("a , b,c\n\n\n", "utf-8")
    def holds(body: str, encoding: str) -> None:
        raw, target = folder / f"{next(number)}.csv", folder / "plain.csv"
        text = "甲,乙,丙\n" + body
        raw.write_bytes(text.encode(encoding))
        seen = transcode(RawFile(raw, "0" * 64), target, HEADER)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = text.rstrip("\n").split("\n")[1:]
        written = target.read_text(encoding="utf-8")
        assert written == "".join(f"{line}\n" for line in [HEADER, *(plainly(x, 2) for x in lines)])
        assert seen.lines_n == 1 + sum(line not in ("", BLANK_LINE) for line in lines)
        assert seen.is_ended == text.endswith("\n")
        if not seen.has_blanks:
            fields = itertools.chain.from_iterable(csv.reader(written.split("\n")))
            assert all(field == field.strip(BLANKS) for field in fields)

    holds()


def test_blanks_inside_a_field_are_none_around_it(tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    for body, has_blanks in (("a b,c,d\n", False), ("a,b ,c\n", True), ("\ta,b,c\n", True)):
        file.write_text("甲,乙,丙\n" + body, encoding="utf-8")
        seen = transcode(RawFile(file, "0" * 64), tmp_path / "plain.csv", HEADER)
        assert seen.has_blanks is has_blanks


@pytest.mark.parametrize("chunk", [1, 2, 1_000], ids="of {} bytes".format)
def test_a_file_that_is_cut_off_anywhere_is_written_as_text(
    chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also within a character, of which nobody knows what it was."""
    monkeypatch.setattr(parts, "CHUNK", chunk)
    file, target = tmp_path / "cut.csv", tmp_path / "plain.csv"
    header, row = "甲,乙,丙\n".encode("utf-8-sig"), "杭州市,𠮷,b\r\n".encode()
    for end in range(1, len(row) + 1):
        file.write_bytes(header + row[:end])
        transcode(RawFile(file, "0" * 64), target, HEADER)
        written = target.read_text(encoding="utf-8").splitlines()
        assert written == [HEADER, row[:end].decode(errors="replace").strip()]
