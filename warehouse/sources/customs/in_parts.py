"""A large csv of customs records in parts: parsed and judged wherever the delivery's `spread` does
it, into the load that one reader gives.

What is decided of a file as a whole (lost zeros, decimal commas, forms of dates) is decided between
the two, over the texts of all parts; each row's line is the file's.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import pandas as pd

from warehouse.lake.schema import Tables
from warehouse.sources.customs.csv_rows import (
    broken_of,
    last_if_broken,
    parse,
    refuse_cut_off,
)
from warehouse.sources.customs.judging import TABLE, deliver, refusing_long_texts
from warehouse.sources.customs.mending import Mended, mend, mend_as
from warehouse.sources.customs.scratch import line_in_file, scratch_database, show
from warehouse.sources.customs.selection import Selection
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.joining import join
from warehouse.sources.reading.parts import Part, Spread

REJECTED = "rejected.parquet"


@dataclass(frozen=True)
class ParseJob:
    raw: RawFile
    part: Part
    select: Selection
    heads: tuple[str, ...]
    folder: Path


@dataclass(frozen=True)
class Parsed:
    """A parsed part: the files of its texts and of its rejected lines, its lines with text and in
    all (without the heads), whether the last is ended, and its number within the part, counted from
    the heads, where it is broken (else 0).
    """

    texts: Path
    rejected: Path
    lines_n: int
    all_n: int
    is_ended: bool
    last_if_broken: int


@dataclass(frozen=True)
class JudgeJob:
    """before : lines of the file above the part, without the heads"""

    raw: RawFile
    parsed: Parsed
    before: int
    select: Selection
    mended: Mended
    load_id: str
    tables: Tables
    folder: Path


def read_in_parts(
    raw: RawFile,
    delivery: Delivery,
    select: Selection,
    heads: tuple[str, ...],
    parts: Sequence[Part],
    spread: Spread,
) -> Mended:
    """Read a csv into the delivery; returns what was mended.

    Raises
    ------
    SourceError : a part of it that is no csv of records; what it says of lines counts from the
        part's start, so whoever tells a person reads the file as a whole.
    """
    raw = replace(raw)  # without the bytes that it has looked at: it goes to every machine
    folder = delivery.folder / "scratch.parts"
    folder.mkdir()
    parsed = spread(parse_part, [ParseJob(raw, part, select, heads, folder) for part in parts])
    before = [0, *accumulate(one.all_n for one in parsed)][:-1]
    lines_n, last = sum(one.lines_n for one in parsed), parsed[-1]
    broken_at = last.last_if_broken + before[-1] if last.last_if_broken else 0
    refuse_cut_off(raw, lines_n + 1, last.is_ended, broken_at)
    with scratch_database() as connection, refusing_long_texts(raw):
        show(connection, [one.texts for one in parsed])
        mended = mend(connection)
    jobs = [
        JudgeJob(raw, one, above, select, mended, delivery.load_id, delivery.source_tables, folder)
        for one, above in zip(parsed, before, strict=True)
    ]
    judged = spread(judge_part, jobs)
    join(delivery.folder, delivery.source_tables, judged)
    delivery.read_n += lines_n
    delivery.count(judged)
    return mended


def parse_part(job: ParseJob) -> Parsed:
    """Parse a part, in a folder that nobody else writes to: a machine that was taken for lost may
    be at the same part still.
    """
    folder = _own(job.folder)
    with scratch_database() as connection:
        rows = parse(connection, job.raw, folder, job.select, job.heads, job.part)
    rows.rejected.to_parquet(folder / REJECTED)
    return Parsed(
        rows.texts, folder / REJECTED, rows.seen.lines_n - 1, rows.seen.all_n - 1,
        rows.seen.is_ended, last_if_broken(rows),
    )  # fmt: skip


def judge_part(job: JudgeJob) -> Delivery:
    """Mend and judge a part's rows as was decided for the file; returns what they gave."""
    delivery = Delivery(job.raw, job.load_id, _own(job.folder), job.tables)
    rejected = pd.read_parquet(job.parsed.rejected)
    with scratch_database() as connection, refusing_long_texts(job.raw):
        line = line_in_file(connection, rejected["line"].to_numpy())
        show(connection, [job.parsed.texts], f"{line} + {job.before}")
        mend_as(connection, job.mended)
        deliver(connection, delivery, job.select.stated, job.mended)
    broken = broken_of(rejected)
    delivery.put_aside(TABLE, broken.assign(line=broken["line"] + job.before))
    delivery.close()
    return delivery


def _own(folder: Path) -> Path:
    own = folder / uuid.uuid4().hex
    own.mkdir()
    return own
