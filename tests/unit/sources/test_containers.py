"""Archives, Parquet and foreign containers: what is in them is read, and what is hostile or damaged
is refused with a sentence.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.sources.container_cases import HEAD
from warehouse.errors import SourceError
from warehouse.lake.loads import load_folder
from warehouse.sources import get_source
from warehouse.sources.reading import containers
from warehouse.sources.reading.loading import load_file
from warehouse.sources.reading.rawfile import RawFile

PAIRS = "adcode_left,adcode_right,city_left,city_right\n330100,330400,杭州市,嘉兴市\n"


def customs_csv(*values: str) -> bytes:
    rows = [
        f"200501,出口,01012100,{value},3,千克,3301000001,甲,310012,杭州市,美国,一般贸易"
        for value in values
    ]
    return ("\r\n".join([HEAD, *rows]) + "\r\n").encode("gb18030")


def archive_of(
    file: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED
) -> Path:
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file


def named_in_bytes(file: Path, name: bytes, data: bytes, flags: int = 0) -> Path:
    """A zip of one stored member whose name is given as bytes: Python's own writer would encode and
    flag it.
    """
    crc = zlib.crc32(data)
    fields = struct.pack("<HHHHHIII", 20, flags, 0, 0, 33, crc, len(data), len(data))
    local = b"PK\x03\x04" + fields + struct.pack("<HH", len(name), 0) + name + data
    central = (
        b"PK\x01\x02"
        + struct.pack("<H", 20)
        + fields
        + struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, 0)
        + name
    )
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    file.write_bytes(local + central + end)
    return file


def refused(load: Callable, file: Path, message: str) -> None:
    """The file is refused with that message, and nothing of it is left in the lake or beside it."""
    before = sorted(file.parent.glob("*"))
    with pytest.raises(SourceError, match=message):
        load("customs", file)
    assert sorted(path for path in file.parent.glob("*") if path.name != "lake") == [
        path for path in before if path.name != "lake"
    ]
    assert [path for path in (file.parent / "lake" / "loads").rglob("*") if path.is_file()] == []


def test_each_member_is_a_file_of_its_own_with_its_own_lines(
    load: Callable, tmp_path: Path
) -> None:
    file = archive_of(
        tmp_path / "all.zip",
        {"b/two.csv": customs_csv("3", "x"), "a/one.csv": customs_csv("1", "2")},
    )
    report, tables, aside = load("customs", file)
    rows = tables["customs__records"]
    assert rows[["line", "value_cents"]].values.tolist() == [[2, 100], [3, 200], [2, 300]]
    assert aside[["line", "reason"]].values.tolist() == [[3, "bad_value"]]
    assert rows["file_id"].nunique() == 2 and aside["file_id"].tolist() == [
        rows["file_id"].iloc[-1]
    ]
    assert [(part["file_name"], part["file_id"]) for part in report.file_rows] == [
        ("all.zip/a/one.csv", rows["file_id"].iloc[0]),
        ("all.zip/b/two.csv", rows["file_id"].iloc[2]),
    ]
    assert report.file_name == "all.zip" and report.layout == "2005_chinese_csv"
    folder = load_folder(tmp_path / "lake", "customs", report.load_id)
    assert sorted(path.name for path in folder.iterdir()) == [
        "customs__records.parquet",
        "report.json",
        "set_aside.parquet",
    ]


def test_members_of_several_kinds_go_together(load: Callable, tmp_path: Path) -> None:
    frame = pd.read_csv(io.BytesIO(customs_csv("5")), encoding="gb18030", dtype=str)
    parquet, xlsx = io.BytesIO(), io.BytesIO()
    frame.to_parquet(parquet)
    frame.assign(金额="6").to_excel(xlsx, index=False)
    members = {
        "1.csv": customs_csv("4"),
        "2.parquet": parquet.getvalue(),
        "3.xlsx": xlsx.getvalue(),
        "read me.txt": b"made by a program",
        "x.pdf": b"%PDF",
    }
    report, tables, _ = load("customs", archive_of(tmp_path / "mixed.zip", members))
    assert tables["customs__records"]["value_cents"].tolist() == [400, 500, 600]
    assert [(member["name"], member["layout"]) for member in report.members] == [
        ("mixed.zip/1.csv", "2005_chinese_csv"),
        ("mixed.zip/2.parquet", "2005_chinese_csv"),
        ("mixed.zip/3.xlsx", "2005_chinese_csv"),
        ("mixed.zip/read me.txt", ""),
    ]


def test_other_sources_read_archives_and_parquet_too(load: Callable, tmp_path: Path) -> None:
    """A code saved as a decimal number, because one row lacks it, is read without its .0; row n of
    Parquet is line n + 1.
    """
    _, tables, _ = load(
        "geography", archive_of(tmp_path / "pairs.zip", {"pairs.csv": PAIRS.encode()})
    )
    assert tables["geography__adjacency"][["city_code", "neighbour_code"]].values.tolist() == [
        ["3301", "3304"],
        ["3304", "3301"],
    ]
    lists = {
        "adcode_left": [330100.0, None],
        "adcode_right": [330400, 330400],
        "city_left": ["杭州市", "无"],
        "city_right": ["嘉兴市", "嘉兴市"],
    }
    pd.DataFrame(lists).to_parquet(tmp_path / "pairs.parquet")
    report, tables, aside = load("geography", tmp_path / "pairs.parquet")
    assert tables["geography__adjacency"][["city_code", "line"]].values.tolist() == [
        ["3301", 2],
        ["3304", 2],
    ]
    assert set(aside["line"]) == {3}
    assert (report.file_name, report.layout) == ("pairs.parquet", "adjacency_csv")


def test_the_year_in_a_member_s_name_counts(load: Callable, tmp_path: Path) -> None:
    data = b'{"110000": "\xe5\x8c\x97\xe4\xba\xac\xe5\xb8\x82"}'
    _, tables, _ = load(
        "divisions", archive_of(tmp_path / "codes.zip", {"codes/200212.json": data})
    )
    assert tables["divisions__names"]["vintage"].tolist() == ["200212"]


def test_a_load_s_name_depends_on_the_bytes_of_the_archive_alone(tmp_path: Path) -> None:
    file = archive_of(tmp_path / "a.zip", {"one.csv": customs_csv("1")})
    first, is_new = load_file(get_source("customs"), file, tmp_path / "lake")
    again, is_new_again = load_file(get_source("customs"), file, tmp_path / "lake")
    assert (first.load_id, is_new, is_new_again) == (again.load_id, True, False)
    assert again == first
    one, other = (tmp_path / name for name in ("lake", "other"))
    load_file(get_source("customs"), file, other)
    parts = [
        load_folder(lake, "customs", first.load_id) / "customs__records.parquet"
        for lake in (one, other)
    ]
    assert parts[0].read_bytes() == parts[1].read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "../evil.csv",
        "a/../../evil.csv",
        "/etc/evil.csv",
        "C:\\evil.csv",
        "..\\evil.csv",
        "a/..",
        "\\\\host\\evil.csv",
    ],
)
def test_names_that_lead_out_are_refused(load: Callable, tmp_path: Path, name: str) -> None:
    refused(
        load,
        named_in_bytes(tmp_path / "slip.zip", name.encode(), customs_csv("1")),
        r"has a name that leads out of the archive's folder",
    )


@pytest.mark.parametrize(
    "name",
    [
        "con/aux.csv",
        ".hidden.csv",
        "a" * 300 + ".csv",
        "日" * 200 + ".csv",
        "x\n\x1b[31m.csv",
        "$(touch x).csv",
        "-rf.csv",
    ],
)
def test_odd_names_never_become_paths(load: Callable, tmp_path: Path, name: str) -> None:
    _, tables, _ = load(
        "customs",
        named_in_bytes(tmp_path / "odd.zip", name.encode(), customs_csv("1"), flags=0x800),
    )
    assert len(tables["customs__records"]) == 1
    safe = containers.safe_name(name)
    assert "/" not in safe and not safe.startswith(".") and len(safe.encode()) <= 120


@pytest.mark.parametrize(("encoding", "flags"), [("gbk", 0), ("utf-8", 0), ("utf-8", 0x800)])
def test_chinese_names_are_read_as_they_were_written(
    load: Callable, tmp_path: Path, encoding: str, flags: int
) -> None:
    """Windows writes GBK without a flag; 縗 has a backslash as its second byte there, which is no
    folder.
    """
    report, _, _ = load(
        "customs",
        named_in_bytes(
            tmp_path / "zh.zip", "海关/縗年数据2005.csv".encode(encoding), customs_csv("1"), flags
        ),
    )
    assert report.members[0]["name"] == "zh.zip/海关/縗年数据2005.csv"


def test_an_encrypted_member_is_refused(load: Callable, tmp_path: Path) -> None:
    refused(
        load,
        named_in_bytes(tmp_path / "locked.zip", b"a.csv", customs_csv("1"), flags=1),
        r"locked\.zip/a\.csv: is encrypted\. Unpack the archive with its",
    )


def test_an_archive_inside_an_archive_is_refused(load: Callable, tmp_path: Path) -> None:
    inner = archive_of(tmp_path / "inner.zip", {"a.csv": customs_csv("1")})
    outer = archive_of(tmp_path / "outer.zip", {"deep/inner.dat": inner.read_bytes()})
    inner.unlink()
    refused(load, outer, r"outer\.zip/deep/inner\.dat: is an archive inside an archive")


def test_a_link_is_refused(load: Callable, tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("a.csv")
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    refused(load, tmp_path / "link.zip", r"is a link and not a file")


def test_bombs_are_refused_before_they_are_unpacked(
    load: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = archive_of(tmp_path / "bomb.zip", {"zeros.csv": bytes(100 * 1024**2)})
    refused(
        load,
        bomb,
        r"unpacks to 104,857,600 bytes, [\d,]+ times its size; at most 250 times are allowed",
    )
    small = archive_of(
        tmp_path / "small.zip",
        {"1.csv": customs_csv("1"), "2.csv": customs_csv("2"), "3.csv": customs_csv("3")},
    )
    for limit, value, message in [
        ("MAX_MEMBERS", 2, r"holds 3 members, more than the 2 allowed"),
        ("MAX_TOTAL_BYTES", 200, r"unpacks to [\d,]+ bytes, more than the 200 allowed"),
        (
            "MAX_MEMBER_BYTES",
            100,
            r"small\.zip/1\.csv: unpacks to [\d,]+ bytes, more than the 100 allowed",
        ),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(containers, limit, value)
            refused(load, small, message)


def test_a_member_that_is_larger_than_it_says_is_cut_short(load: Callable, tmp_path: Path) -> None:
    """A forged size in the list of members must not let more bytes out than were checked."""
    file = archive_of(tmp_path / "forged.zip", {"a.csv": customs_csv(*["1"] * 1000)})
    data = bytearray(file.read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 50)
    file.write_bytes(bytes(data))
    refused(load, file, r"forged\.zip/a\.csv: is damaged and cannot be unpacked")


def test_damaged_archives_say_so(load: Callable, tmp_path: Path) -> None:
    whole = archive_of(tmp_path / "whole.zip", {"a.csv": customs_csv(*["12.5"] * 500)}).read_bytes()
    (tmp_path / "whole.zip").unlink()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole[:-30])
    refused(load, cut, r"cut\.zip: is cut off or not a zip archive")
    cut.unlink()
    spoilt = tmp_path / "spoilt.zip"
    spoilt.write_bytes(whole[:60] + bytes(20) + whole[80:])
    refused(load, spoilt, r"spoilt\.zip/a\.csv: is damaged and cannot be unpacked")


def test_an_archive_without_data_or_with_the_same_twice_is_refused(
    load: Callable, tmp_path: Path
) -> None:
    refused(
        load,
        archive_of(tmp_path / "empty.zip", {}),
        r"empty\.zip: is an archive without a data file",
    )
    (tmp_path / "empty.zip").unlink()
    refused(
        load,
        archive_of(tmp_path / "papers.zip", {"a.pdf": b"%PDF", "__MACOSX/._a.csv": b"x"}),
        r"is an archive without a data file",
    )
    (tmp_path / "papers.zip").unlink()
    refused(
        load,
        archive_of(tmp_path / "notes.zip", {"a.txt": b"hello"}),
        r"holds documents and no data file",
    )
    (tmp_path / "notes.zip").unlink()
    refused(
        load,
        archive_of(tmp_path / "twins.zip", {"a.csv": customs_csv("1"), "b.csv": customs_csv("1")}),
        r"b\.csv: holds the same bytes as twins\.zip/a\.csv",
    )
    (tmp_path / "twins.zip").unlink()
    refused(
        load,
        archive_of(tmp_path / "odd.zip", {"a.csv": customs_csv("1"), "b.csv": b"a,b\n1,2\n"}),
        r"odd\.zip/b\.csv, line 1: shows none of the layouts",
    )


def test_a_member_s_trouble_names_archive_and_member(load: Callable, tmp_path: Path) -> None:
    refused(
        load,
        archive_of(tmp_path / "a.zip", {"x/cut.csv": customs_csv("1") + b"200501,"}),
        r"a\.zip/x/cut\.csv, line 3: ends in the middle of a row",
    )


@pytest.mark.parametrize("mark", [b"Standard Jet DB", b"Standard ACE DB"])
def test_an_access_database_gets_the_command_that_converts_it(
    load: Callable, tmp_path: Path, mark: bytes
) -> None:
    file = tmp_path / "200601cn.mdb"
    file.write_bytes(b"\x00\x01\x00\x00" + mark + bytes(4096))
    refused(
        load,
        file,
        (
            r"is an Access database.*`mdb-tables -1 200601cn\.mdb`.*`mdb-export -D %Y-%m-%d -T "
            r"%Y-%m-%d 200601cn\.mdb TABLE > TABLE\.csv`"
        ),
    )
    archive = archive_of(tmp_path / "in.zip", {"200601cn.mdb": file.read_bytes()})
    refused(load, archive, r"in\.zip/200601cn\.mdb: is an Access database")


@pytest.mark.parametrize(
    ("mark", "kind"),
    [(b"Rar!\x1a\x07\x00", "rar"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"\x1f\x8b\x08", "gzip")],
)
def test_other_archives_are_named(load: Callable, tmp_path: Path, mark: bytes, kind: str) -> None:
    (tmp_path / "x.bin").write_bytes(mark + bytes(100))
    refused(
        load, tmp_path / "x.bin", rf"is an? {kind} archive, which is not read directly\. Unpack it"
    )


def test_a_workbook_is_no_archive(tmp_path: Path, workbook: Callable) -> None:
    path = workbook("a.xlsx", {"s": [["x"]]})
    assert not containers.is_archive(RawFile(path, "a"))
    assert containers.is_archive(RawFile(archive_of(tmp_path / "a.zip", {"a.csv": b"x"}), "b"))
