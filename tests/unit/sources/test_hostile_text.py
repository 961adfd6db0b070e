"""Text files that are made to fill memory: lines without an end, and cells without number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from warehouse.errors import SourceError
from warehouse.sources.reading import text
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.text import csv_rows, read_rows

CUSTOMS = (
    "日期,进口或出口,HS编码,金额,数量,数量单位,企业编码,经营单位,邮编,消费地或生产地,"
    "起运国或目的国,贸易方式\n"
)
FIRMS = (
    "法人代码,企业名称,dq,cic,工业总产值_当年价格千元,工业增加值千元,工业中间投入合计千元,"
    "全部从业人员年平均人数人\n"
)
FLOWS = "t,i,j,k,v,q\n"
PAIRS = "adcode_left,adcode_right\n"


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """`endless(header)` -> a csv of 500 MB: that header, and one line that takes no room on the
    disk.
    """
    path = tmp_path_factory.mktemp("endless") / "firms_2005.csv"

    def write(header: str) -> Path:
        with path.open("wb") as handle:
            handle.write(header.encode() + b"1" * 70_000)
            handle.truncate(500_000_000)
        return path

    yield write
    path.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("source", "header", "message"),
    [
        ("customs", CUSTOMS, "line 2: is longer than 1,048,576 bytes"),
        ("firms", FIRMS, "line 2: is longer than 1,048,576 bytes"),
        (
            "geography",
            PAIRS,
            "has 500,000,000 bytes, more than the 268,435,456 that a table of this kind may have",
        ),
        ("world_trade", FLOWS, "line 2: is longer than 1,048,576 bytes"),
    ],
)
def test_a_line_of_500_mb_is_refused(
    load: Callable, endless: Callable[[str], Path], source: str, header: str, message: str
) -> None:
    path = endless(header)
    with pytest.raises(SourceError, match=message):
        load(source, path, flow="export") if source == "customs" else load(source, path)


def test_a_line_of_500_mb_is_not_taken_into_memory(endless: Callable[[str], Path]) -> None:
    rows = csv_rows(RawFile(endless("a,b\n"), "x"), "utf-8-sig")
    assert next(rows) == (1, ["a", "b"])
    with pytest.raises(
        SourceError, match=r"firms_2005\.csv, line 2: is longer than 1,048,576 characters"
    ):
        next(rows)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_lines_of_ordinary_length_are_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(text, "LONGEST_LINE", 12)
    first = end or "\n"
    (tmp_path / "a.csv").write_bytes(f"ab,cd{first}1,2345678{end}".encode())
    assert read_rows(RawFile(tmp_path / "a.csv", "a")) == [["ab", "cd"], ["1", "2345678"]]
    (tmp_path / "b.csv").write_bytes(f"ab,cd{first}1,23456789abcd".encode())
    with pytest.raises(SourceError, match=r"b\.csv, line 2: is longer than 12 characters"):
        read_rows(RawFile(tmp_path / "b.csv", "b"))


@pytest.mark.parametrize("filling", [b"\n", b",\n"])
def test_empty_cells_without_number_are_refused(
    load: Callable, tmp_path: Path, filling: bytes
) -> None:
    (tmp_path / "pairs.csv").write_bytes(PAIRS.encode() + filling * (60_000_000 // len(filling)))
    with pytest.raises(
        SourceError,
        match=(
            r"pairs\.csv: has about [\d,]+ cells, "
            r"more than the 20,000,000 that a table of this kind may have"
        ),
    ):
        load("geography", tmp_path / "pairs.csv")


ROWS = "城市,年份\n杭州市,2010\n宁波市,2011"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("last", ["市", "𠮷"])
def test_a_file_that_ends_within_a_character_is_cut_off_and_has_no_other_encoding(
    tmp_path: Path, encoding: str, last: str
) -> None:
    whole = (ROWS + last).encode(encoding)
    plain = len(ROWS.encode(encoding))
    for bytes_n in range(plain + 1, len(whole)):
        (tmp_path / "a.csv").write_bytes(whole[:bytes_n])
        # Two of the four bytes of a rare character may be a whole one by themselves.
        if encoding == "gb18030" and _is_whole(whole[:bytes_n], encoding):
            continue
        with pytest.raises(
            SourceError, match=r"a\.csv, line 3: ends in the middle of a character .*: the file is"
        ):
            read_rows(RawFile(tmp_path / "a.csv", "x"))
    (tmp_path / "a.csv").write_bytes(whole)
    assert read_rows(RawFile(tmp_path / "a.csv", "x"))[2] == ["宁波市", f"2011{last}"]


def _is_whole(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def test_bytes_that_are_wrong_before_the_end_are_no_cut(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n\xff\xff,1\n" + "市".encode()[:2])
    with pytest.raises(SourceError, match="line 2: is neither UTF-8 nor GB18030"):
        read_rows(RawFile(tmp_path / "a.csv", "x"))


def test_one_chinese_word_at_the_end_of_plain_text_may_be_gb18030(tmp_path: Path) -> None:
    """Its last bytes are the beginning of a character of UTF-8."""
    end = bytes([0xE4, 0xB8])
    (tmp_path / "a.csv").write_bytes(b"a,b\n1," + end)
    assert read_rows(RawFile(tmp_path / "a.csv", "x"))[1] == ["1", end.decode("gb18030")]
