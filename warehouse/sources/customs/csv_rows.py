"""Customs records in a csv: its rows become a file of texts; those that do not fit the header are
broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from warehouse.errors import SourceError
from warehouse.lake.loads import sql_text
from warehouse.sources.customs.judging import SCRATCH_FORM
from warehouse.sources.customs.layouts import CODE_WIDTHS
from warehouse.sources.customs.selection import Selection
from warehouse.sources.reading.base import RawFile
from warehouse.sources.reading.parts import Part
from warehouse.sources.reading.text import BLANKS
from warehouse.sources.reading.transcoding import BLANK_LINE, Transcoded, transcode

LONGEST_LINE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class CsvRows:
    """What parsing a csv, or its heads and a part of it, gave. Lines count from 1, the heads'.

    texts, good_n : file of the rows that fit the header, with a `line` that counts them from 2
        without gaps; how many they are
    rejected : `line` and `detail` of all other lines, those without text among them
    """

    texts: Path
    good_n: int
    rejected: pd.DataFrame
    seen: Transcoded


def broken_of(rejected: pd.DataFrame) -> pd.DataFrame:
    """Rejected lines with text, which do not fit the header: `line`, `detail`, `reason`."""
    return rejected[rejected["detail"] != BLANK_LINE].assign(reason="broken_row")


def parse(
    connection: duckdb.DuckDBPyConnection,
    raw: RawFile,
    folder: Path,
    select: Selection,
    heads: tuple[str, ...],
    part: Part | None = None,
) -> CsvRows:
    """Parse a csv, or a part of it, into a file of the folder.

    Raises
    ------
    SourceError : it is no csv.
    """
    heads = tuple(head or f"unnamed_{i}" for i, head in enumerate(heads))
    plain, texts = folder / "scratch.csv", folder / "scratch.parquet"
    seen = transcode(raw, plain, ",".join(map(str, range(len(heads)))), part)

    def column(field: str) -> str:
        found = f"c{heads.index(select.fields[field])}"
        text = f"trim({found}, {sql_text(BLANKS)})" if seen.has_blanks else found
        width = CODE_WIDTHS.get(field, 0) if select.spec.has_lost_zeros else 0
        return (
            f"case when length({text}) = {width - 1} then '0' || {text} else {text} end"
            if width
            else text
        )

    _copy(connection, raw, _csv(plain, len(heads), select.sql(column)), texts)
    plain.unlink()
    rejected = connection.execute(
        "select distinct line, trim(csv_line, chr(10)) as detail from reject_errors order by line"
    ).df()
    row = connection.execute(f"select count(*) from read_parquet({sql_text(texts)})").fetchone()
    assert row is not None
    return CsvRows(texts, int(row[0]), rejected, seen)


def refuse_cut_off(raw: RawFile, lines_n: int, is_ended: bool, last_if_broken: int) -> None:
    """
    Parameters
    ----------
    lines_n : lines with text, the heads among them
    is_ended : whether the last one was ended by a line break
    last_if_broken : the number of the last line where that is broken, else 0

    Raises
    ------
    SourceError : no records, or a last row that ends early: the file was cut off, and nobody knows
        how many rows are missing.
    """
    if lines_n <= 1:
        raise SourceError(
            raw.name, "line 1", "holds a header and no records", "Fetch the file again"
        )
    if not is_ended and last_if_broken:
        raise SourceError(
            raw.name,
            f"line {last_if_broken}",
            "ends in the middle of a row: the file is cut off",
            "Fetch the file again",
        )


def last_if_broken(rows: CsvRows) -> int:
    """The number of the last line where that is broken, else 0."""
    last = rows.good_n + len(rows.rejected) + 1
    return last if last in broken_of(rows.rejected)["line"].tolist() else 0


def _csv(plain: Path, width: int, selected: str) -> str:
    """The query for a csv's rows of as many columns as its header, numbered from 2 on."""
    columns = ", ".join(f"'c{i}': 'varchar'" for i in range(width))
    return f"""select row_number() over () + 1 as line, {selected} from read_csv(
                    {sql_text(plain)}, columns = {{{columns}}}, header = true, delim = ',',
                    quote = '"', escape = '"', auto_detect = false, new_line = '\\n', nullstr = '',
                    store_rejects = true, rejects_limit = 0,
                    max_line_size = {LONGEST_LINE_BYTES}, buffer_size = {8 * LONGEST_LINE_BYTES})"""


def _copy(connection: duckdb.DuckDBPyConnection, raw: RawFile, query: str, texts: Path) -> None:
    """Copy a csv's rows into a file of texts; duckdb keeps those that do not fit as rejects."""
    try:
        connection.execute(f"copy ({query}) to {sql_text(texts)} {SCRATCH_FORM}")
    except duckdb.Error as error:
        raise SourceError(
            raw.name,
            "",
            f"cannot be read as csv ({str(error).splitlines()[0]})",
            "Check quotes and line ends near that place",
        ) from error
