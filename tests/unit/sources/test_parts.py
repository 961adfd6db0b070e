"""A large csv that is read in parts gives the load that one reader gives, wherever it is cut."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.sources.test_customs import REASONS, line, write_csv
from warehouse.errors import SourceError
from warehouse.lake.loads import LoadReport, load_folder
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file
from warehouse.sources.reading.parts import chunks, cut
from warehouse.sources.reading.rawfile import RawFile


class Elsewhere:
    """Does each job as another process would: with nothing but a copy of what it is given, and a
    second time where the first was taken for lost.
    """

    def __init__(self, part_bytes: int) -> None:
        self.part_bytes, self.jobs_n = part_bytes, 0

    def __call__(self, work: Callable, jobs: Sequence) -> list:
        self.jobs_n += len(jobs)
        given = [pickle.loads(pickle.dumps((work, job))) for job in jobs]
        for work_copy, job in given[:1]:
            work_copy(job)
        return [pickle.loads(pickle.dumps(work_copy(job))) for work_copy, job in reversed(given)][
            ::-1
        ]


Read = tuple[LoadReport, dict[str, pd.DataFrame]]


def read(file: Path, lake: Path, spread: Elsewhere | None = None) -> Read:
    report, is_new = load_file(get_source("customs"), file, lake, spread=spread)
    assert is_new
    folder = load_folder(lake, "customs", report.load_id)
    files = sorted(folder.iterdir())
    assert {found.name for found in files} <= {
        "customs__records.parquet", "set_aside.parquet", "report.json",
    }  # fmt: skip
    return report, {found.stem: pd.read_parquet(found) for found in files if found.stem != "report"}


def assert_same(file: Path, folder: Path, part_bytes: int) -> int:
    """The parts' jobs, of which there must be some for the caller to have tested anything."""
    spread = Elsewhere(part_bytes)
    whole, rows = read(file, folder / "whole")
    parts, same = read(file, folder / f"parts{part_bytes}", spread)
    assert parts == whole
    assert list(same) == list(rows)
    for name in rows:
        pd.testing.assert_frame_equal(same[name], rows[name])
    return spread.jobs_n


BODY = [
    line(),
    "a,b,c",
    "",
    *(line(**changed) for changed in REASONS.values()),
    "",
    "",
    line(经营单位='杭州"甲有限公司'),
    line(金额='"1,234.5"', 邮编="无", 企业编码="3301000001.0"),
    line(HS编码="1012100", 邮编="10012"),
    line(经营单位="杭州　甲 ", 消费地或生产地=" 江苏常州市"),
    line(日期="2005年1月"),
    line(经营单位="甲" * 300),
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_parts_give_the_load_of_the_whole(tmp_path: Path, encoding: str, end: str) -> None:
    """Rows of every fate, blank lines at the ends of parts, and what is decided for a whole file:
    its encoding, marks, codes with .0, forms of dates.
    """
    file = write_csv(tmp_path / "2005.csv", *BODY, *BODY, encoding=encoding, end=end)
    for part_bytes in (200, 333, 1_000):
        assert assert_same(file, tmp_path / str(part_bytes), part_bytes) > 2


def test_zeros_are_lost_in_the_whole_file_or_in_none(tmp_path: Path) -> None:
    """In one part alone it would look as if codes of seven figures had lost a zero."""
    short, kept = line(HS编码="1012100"), line(HS编码="01012100")
    for name, rows, accepted in (
        ("lost.csv", [short] * 9, 9),
        ("kept.csv", [short] * 8 + [kept], 1),
    ):
        file = write_csv(tmp_path / name, *rows)
        assert assert_same(file, tmp_path / f"of_{name}", 150) > 4
        report, _ = read(file, tmp_path / f"again_{name}", Elsewhere(150))
        assert report.tables == {"customs__records": accepted}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{good}\n{good}\n{good}\n{cut}", "cut off"),
        ("{good}\n{good}\n{good}\n{good}", ""),
        ("\n\n\n\n\n\n\n\n\n", "no records"),
    ],
    ids=["cut off", "whole, without a last break", "heads alone"],
)
def test_the_end_of_the_last_part_is_the_end_of_the_file(
    tmp_path: Path, text: str, told: str
) -> None:
    file = write_csv(tmp_path / "2005.csv")
    body = text.format(good=line(), cut=line()[:20]).encode("gb18030")
    file.write_bytes(file.read_bytes() + body * (1 if told != "no records" else 60))
    for spread in (None, Elsewhere(100)):
        if told:
            with pytest.raises(SourceError, match=told):
                read(file, tmp_path / str(spread), spread)
        else:
            report, _ = read(file, tmp_path / str(spread), spread)
            assert report.read_n == 4


def test_what_cannot_be_cut_is_read_as_a_whole(tmp_path: Path) -> None:
    """A file that is small, one whose lines end in carriage returns alone, and one that is a
    table already.
    """
    old = write_csv(tmp_path / "2005_old.csv", *[line()] * 9, end="\r")
    small = write_csv(tmp_path / "2005_small.csv", line())
    parquet = tmp_path / "2005.parquet"
    pd.read_csv(small, dtype=str, encoding="gb18030").to_parquet(parquet)
    for file, part_bytes in ((old, 100), (small, 10_000), (parquet, 100)):
        assert assert_same(file, tmp_path / f"of_{file.stem}", part_bytes) == 0


def test_a_member_of_an_archive_is_cut_too(tmp_path: Path) -> None:
    import zipfile

    file = write_csv(tmp_path / "2005.csv", *BODY)
    with zipfile.ZipFile(tmp_path / "2005.zip", "w") as archive:
        archive.write(file, "2005.csv")
    assert assert_same(tmp_path / "2005.zip", tmp_path, 300) > 2


def test_every_byte_is_in_one_part(tmp_path: Path) -> None:
    file = tmp_path / "any.csv"

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.text('a市,"\r\n', max_size=60), st.integers(1, 30), st.sampled_from(["utf-8", "gb18030"])
    )
    def holds(text: str, part_bytes: int, encoding: str) -> None:
        data = text.encode(encoding)
        file.write_bytes(data)
        parts = cut(RawFile(file, "0" * 64), part_bytes)
        if not parts:
            return
        heads = data[: parts[0].heads_stop]
        assert heads.count(b"\n") == 1 and heads.endswith(b"\n")
        given = [b"".join(chunks(file, part)) for part in parts]
        assert all(one.startswith(heads) for one in given)
        assert heads + b"".join(one.removeprefix(heads) for one in given) == data
        assert all(one.endswith(b"\n") for one in given[:-1])
        assert len({replace(part, start=0, stop=0) for part in parts}) == 1

    holds()
