"""Stata files: what their header claims is held against the file, and damage is told in a
sentence.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from warehouse.errors import SourceError
from warehouse.simulate.formats.stata import write_stata
from warehouse.sources.reading import stata
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.stata import stata_frame, stata_labels, stata_pieces
from warehouse.sources.reading.stata_header import stata_release

VERSIONS = [114, 117, 118, 119]
OLD_ROWS_AT, OLD_VARIABLES_AT = 6, 4


def written(path: Path, version: int = 118, **columns: object) -> RawFile:
    frame = pd.DataFrame(
        columns or {"name": ["Hangzhou", "Ningbo", "Wenzhou"], "value": [1.5, 2.5, np.nan]}
    )
    frame.to_stata(
        path, write_index=False, version=version, variable_labels={frame.columns[0]: "a label"}
    )
    return RawFile(path, path.name)


def changed(raw: RawFile, before: bytes, at: int, value: bytes) -> RawFile:
    """The file again, with other bytes so far behind the first place where `before` stands."""
    data = bytearray(raw.path.read_bytes())
    start = data.index(before) + at
    data[start : start + len(value)] = value
    raw.path.write_bytes(bytes(data))
    return RawFile(raw.path, raw.path.name)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_is_read_whole_and_in_pieces(tmp_path: Path, version: int) -> None:
    raw = written(tmp_path / "a.dta", version)
    assert stata_release(raw) == version
    assert stata_labels(raw) == {"name": "a label", "value": ""}
    assert stata_frame(raw)["name"].tolist() == ["Hangzhou", "Ningbo", "Wenzhou"]
    assert [piece["name"].tolist() for piece in stata_pieces(raw, 2)] == [
        ["Hangzhou", "Ningbo"],
        ["Wenzhou"],
    ]


@pytest.mark.parametrize(
    "read", [stata_frame, stata_labels, lambda raw: list(stata_pieces(raw, 10))]
)
@pytest.mark.parametrize("rows_n", [4, 2**40])
def test_a_header_that_claims_more_rows_than_the_file_holds_is_refused(
    tmp_path: Path, read: Callable, rows_n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = changed(written(tmp_path / "a.dta"), b"<N>", 3, struct.pack("<Q", rows_n))
    with pytest.raises(
        SourceError,
        match=(
            r"a\.dta: cannot be read as a Stata file \((its header claims|its rows do not end "
            r"where).*Fetch the file again"
        ),
    ):
        monkeypatch.delattr(stata.pd, "read_stata")  # the header is enough
        read(raw)


def test_a_header_that_claims_fewer_rows_is_refused(tmp_path: Path) -> None:
    """The others would be passed over without a word."""
    raw = changed(written(tmp_path / "a.dta"), b"<N>", 3, struct.pack("<Q", 1))
    with pytest.raises(SourceError, match="its rows do not end where 1 of them should"):
        stata_frame(raw)


def test_an_old_header_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    write_stata(
        tmp_path / "old.dta", np.array([(b"x", 1.0)], dtype=[("name", "S5"), ("value", "f8")]), ""
    )
    raw = RawFile(tmp_path / "old.dta", "old")
    assert stata_frame(raw)["value"].tolist() == [1.0]
    with pytest.raises(
        SourceError,
        match=r"claims 2,147,483,647 rows of 2 variables, which [\d,]+ bytes cannot hold",
    ):
        stata_frame(changed(raw, b"\x72", OLD_ROWS_AT, struct.pack("<I", 2**31 - 1)))
    with pytest.raises(SourceError, match="claims 30,000 variables, more than the 5,000 allowed"):
        stata_frame(changed(raw, b"\x72", OLD_VARIABLES_AT, struct.pack("<H", 30_000)))


def test_thirty_thousand_variables_are_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = changed(written(tmp_path / "a.dta"), b"<K>", 3, struct.pack("<H", 30_000))
    with pytest.raises(SourceError, match="claims 30,000 variables, more than the 5,000 allowed"):
        monkeypatch.delattr(stata.pd, "read_stata")  # the header is enough
        stata_frame(raw)


def test_a_list_of_parts_that_leads_out_of_the_file_is_refused(tmp_path: Path) -> None:
    raw = changed(written(tmp_path / "a.dta"), b"<map>", 5 + 9 * 8, struct.pack("<q", 2**60))
    with pytest.raises(SourceError, match="its list of parts leads out of it"):
        stata_frame(raw)


def test_a_long_text_that_rows_share_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = written(tmp_path / "a.dta", text=["x" * 3_000] * 50)
    assert stata_frame(raw)["text"].str.len().tolist() == [3_000] * 50
    monkeypatch.setattr(stata, "LONGEST_TEXT", 2_999)
    with pytest.raises(SourceError, match="variable text: holds a text of over 2,999 characters"):
        stata_frame(raw)


def test_text_that_is_not_utf_8_makes_no_noise(tmp_path: Path) -> None:
    raw = changed(written(tmp_path / "a.dta"), b"Ningbo", 0, "宁波市".encode("gb18030"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        texts = stata_frame(raw)["name"].tolist()
    assert texts[1] == "宁波市"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, version: int) -> None:
    whole = written(tmp_path / "a.dta", version).path.read_bytes()
    end = whole.index(b"</data>") if version > 115 else len(whole) - 30
    for size in range(5, end, 61):
        (tmp_path / "a.dta").write_bytes(whole[:size])
        with pytest.raises(SourceError, match=r"a\.dta: cannot be read as a Stata file"):
            stata_frame(RawFile(tmp_path / "a.dta", "a"))


@pytest.mark.parametrize("version", VERSIONS)
def test_two_variables_of_one_name_are_refused(tmp_path: Path, version: int) -> None:
    raw = written(tmp_path / "a.dta", version, first=["x", "y"], other=["z", "w"])
    with pytest.raises(SourceError, match="names a variable twice"):
        stata_frame(changed(raw, b"other", 0, b"first"))
    with pytest.raises(SourceError, match="names a variable twice"):
        list(stata_pieces(raw, 1))
