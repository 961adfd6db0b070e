"""Parquet files as sources take them: past their limits, with long texts, with lists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.unit.sources.container_cases import HEAD
from warehouse.errors import SourceError
from warehouse.sources.reading import parquet
from warehouse.sources.reading.rawfile import RawFile


def test_parquet_past_its_limit_is_refused(
    load: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pd.DataFrame({"adcode_left": range(20), "adcode_right": 1}).to_parquet(
        tmp_path / "pairs.parquet"
    )
    monkeypatch.setattr(parquet, "MAX_PARQUET_BYTES", 10)
    with pytest.raises(
        SourceError, match=r"pairs\.parquet: unpacks to [\d,]+ bytes, more than the 10 allowed"
    ):
        load("geography", tmp_path / "pairs.parquet")


@pytest.mark.parametrize(
    ("source", "heads"),
    [("geography", ["adcode_left", "adcode_right"]), ("customs", HEAD.split(","))],
)
def test_a_long_text_that_many_rows_share_is_refused(
    load: Callable, tmp_path: Path, source: str, heads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Parquet file of a few kB, and of few bytes by what it says of itself, becomes 2 TB
    of text.
    """
    counted: list[pa.Array] = []
    count = parquet._text_bytes
    monkeypatch.setattr(
        parquet, "_text_bytes", lambda column: (counted.append(column), count(column))[1]
    )
    shared = pa.DictionaryArray.from_arrays(
        pa.array([0] * 1_000_000, pa.int32()), pa.array(["x" * 1_000_000])
    )
    pyarrow.parquet.write_table(
        pa.table(dict.fromkeys(heads[:12], shared)), tmp_path / "bomb.parquet", compression="zstd"
    )
    assert (tmp_path / "bomb.parquet").stat().st_size < 100_000
    with pytest.raises(
        SourceError,
        match=r"bomb\.parquet: unpacks to [\d,]+ bytes, more than the 8,589,934,592 allowed",
    ):
        load(source, tmp_path / "bomb.parquet")
    assert (
        len(counted) < 100
    )  # counting stops at the limit, after a few columns of a few hundred thousand rows


def test_many_rows_of_the_same_number_are_refused(load: Callable, tmp_path: Path) -> None:
    rows = pa.array([1] * 35_000_000, pa.int8())
    pyarrow.parquet.write_table(
        pa.table({"adcode_left": rows, "adcode_right": rows}), tmp_path / "rows.parquet"
    )
    with pytest.raises(
        SourceError,
        match=r"unpacks to 70,000,000 bytes, [\d,]+ times its size; at most 250 times are allowed",
    ):
        load("geography", tmp_path / "rows.parquet")


def test_texts_that_might_be_too_long_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One long text among short ones: as many of it as there are rows would be too many, but there
    are not.
    """
    texts = [*(f"{number}" for number in range(1_000)), "x" * 2_000]
    pd.DataFrame({"a": texts}).to_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr(parquet, "MAX_PARQUET_BYTES", 100_000)
    parquet.refuse_parquet_bomb(RawFile(tmp_path / "a.parquet", "a"))
    pd.DataFrame({"a": texts + ["x" * 2_000] * 60}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(
        SourceError, match="unpacks to 124,890 bytes, more than the 100,000 allowed"
    ):
        parquet.refuse_parquet_bomb(RawFile(tmp_path / "b.parquet", "b"))


def test_lists_in_a_parquet_file_are_refused(load: Callable, tmp_path: Path) -> None:
    pd.DataFrame({"adcode_left": [[1, 2]], "adcode_right": [[1]]}).to_parquet(
        tmp_path / "pairs.parquet"
    )
    with pytest.raises(
        SourceError, match="column adcode_left: holds lists or structures, which no table has"
    ):
        load("geography", tmp_path / "pairs.parquet")
