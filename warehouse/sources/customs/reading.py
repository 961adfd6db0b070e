"""Reads customs records of every layout from every kind of file: into one table of texts, judged in
one place. The table lies in files beside the load and is read row group by row group, so that a
file's size is no matter of memory.
"""

from __future__ import annotations

import csv
import io
import shutil
from functools import lru_cache
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.errors import SourceError
from warehouse.lake.loads import sql_text
from warehouse.sources.customs import tabular
from warehouse.sources.customs.csv_rows import broken_of, last_if_broken, parse, refuse_cut_off
from warehouse.sources.customs.in_parts import read_in_parts
from warehouse.sources.customs.judging import SCRATCH_FORM, TABLE, deliver, refusing_long_texts
from warehouse.sources.customs.layouts import (
    CODE_WIDTHS,
    HEADS,
    CustomsLayout,
    fields_of,
    layout_of,
)
from warehouse.sources.customs.mending import mend
from warehouse.sources.customs.scratch import line_in_file, scratch_database, show
from warehouse.sources.customs.selection import FILLS, Selection
from warehouse.sources.reading.base import Delivery, Layout, RawFile
from warehouse.sources.reading.codes import ROUNDED
from warehouse.sources.reading.parts import cut
from warehouse.sources.reading.stata import EXACT_IN_FLOAT, refuse_rounded
from warehouse.sources.reading.text import sniff_text

CODES = {"date_text", "hs_text", "firm_code"}  # numbers of more figures than a float keeps


def layout(spec: CustomsLayout) -> Layout:
    """A layout as `warehouse.sources.reading.base` knows it."""

    def recognise(raw: RawFile) -> bool:
        return layout_of(heads_of(raw)) is spec

    def read(raw: RawFile, delivery: Delivery) -> None:
        _read(spec, raw, delivery)

    return Layout(spec.name, recognise, read)


def heads_of(raw: RawFile) -> tuple[str, ...]:
    return _heads_of(*tabular.path_key(raw))


@lru_cache(maxsize=4)
def _heads_of(path: Path, fingerprint: str, label: str) -> tuple[str, ...]:
    raw = RawFile(path, fingerprint, label=label)
    if tabular.is_table(raw):
        return tuple(tabular.table_heads(raw))
    text = sniff_text(raw)
    lines = text.splitlines() if text else []
    return (
        tuple(tabular.clean_head(head) for head in next(csv.reader(io.StringIO(lines[0])), []))
        if lines
        else ()
    )


def _read(spec: CustomsLayout, raw: RawFile, delivery: Delivery) -> None:
    heads = heads_of(raw)
    named = [head for head in heads if head]
    if len(set(named)) < len(named):
        raise SourceError(
            raw.name, "line 1", "names a column twice", "Rename or remove one of them and refresh"
        )
    fields = fields_of(heads)
    _check_columns(spec, raw, fields)
    select = Selection(spec, raw, fields)
    for sheet in tabular.record_sheets(raw):
        delivery.heads(sheet, heads, *select.fates(heads))
    spread = delivery.spread
    parts = cut(raw, spread.part_bytes) if spread and not tabular.is_table(raw) else []
    if spread and parts:
        said = read_in_parts(raw, delivery, select, heads, parts, spread).said
    else:
        said = _read_whole(raw, delivery, select, heads)
    for sheet in tabular.record_sheets(raw):
        for field, done in said.items():
            delivery.column(sheet, fields[field], FILLS.get(field, field), done)
    for leftover in delivery.folder.glob("scratch.*"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def _read_whole(
    raw: RawFile, delivery: Delivery, select: Selection, heads: tuple[str, ...]
) -> dict[str, str]:
    """Read a file from its first row to its last; returns what was done to which field."""
    with scratch_database() as connection:
        if tabular.is_table(raw):
            rounded = _fill_from_pieces(connection, raw, delivery, select)
        else:
            rounded = {}
            _fill_from_csv(connection, raw, delivery, select, heads)
        cap = select.spec.rows_cap
        if cap and delivery.read_n == cap:
            problem = f"holds {cap:,} rows, at which the query stops: the others are missing"
            raise SourceError(
                raw.name, "", problem, "Ask again for fewer products, partners or months at a time"
            )
        with refusing_long_texts(raw):
            mended = mend(connection)
            deliver(connection, delivery, select.stated, mended)
        return {**rounded, **mended.said}


def _check_columns(spec: CustomsLayout, raw: RawFile, fields: dict[str, str]) -> None:
    needed = ["hs_text", *(field for field in spec.needs)]
    missing = [HEADS[field][0] for field in needed if field not in fields]
    if "value_text" not in fields and "value_cny_text" not in fields:
        missing.append(HEADS["value_text"][0])
    if missing:
        remedy = f"Ship the file with all that the layout {spec.name} needs"
        raise SourceError(raw.name, "line 1", f"lacks the column {'、'.join(missing)}", remedy)


def _fill_from_pieces(
    connection: duckdb.DuckDBPyConnection, raw: RawFile, delivery: Delivery, select: Selection
) -> dict[str, str]:
    """Make the view `raw` of a Stata file, a Parquet file or a workbook; returns what was done to
    which field.
    """
    fields, pads = select.fields, select.spec.has_lost_zeros
    files: list[Path] = []
    said: dict[str, str] = {}
    for frame, lines in tabular.pieces(raw):
        for field in CODES & set(fields):
            refuse_rounded(raw, fields[field], frame[fields[field]])
        if "telephone" in fields and (number := frame[fields["telephone"]]).dtype == "float32":
            frame = frame.assign(**{fields["telephone"]: number.mask(number >= EXACT_IN_FLOAT)})
            said["telephone"] = ROUNDED
        texts = {
            field: tabular.as_text(frame[head], CODE_WIDTHS.get(field, 0), pads)
            for field, head in fields.items()
        }
        connection.register("piece", pa.table({**texts, "line": pa.array(lines)}))
        files.append(delivery.folder / f"scratch.{len(files)}.parquet")
        connection.execute(
            f"copy (select line, {select.sql(str)} from piece) to {sql_text(files[-1])}"
            f" {SCRATCH_FORM}"
        )
        connection.unregister("piece")
    count = show(connection, files) if files else 0
    if count == 0:
        raise SourceError(raw.name, "", "holds no records", "Fetch the file again")
    delivery.read_n += count
    return said


def _fill_from_csv(
    connection: duckdb.DuckDBPyConnection,
    raw: RawFile,
    delivery: Delivery,
    select: Selection,
    heads: tuple[str, ...],
) -> None:
    """Make the view `raw` of a csv; rows that do not fit the header are set aside as broken."""
    rows = parse(connection, raw, delivery.folder, select, heads)
    show(connection, [rows.texts], line_in_file(connection, rows.rejected["line"].to_numpy()))
    refuse_cut_off(raw, rows.seen.lines_n, rows.seen.is_ended, last_if_broken(rows))
    delivery.read_n += rows.seen.lines_n - 1
    delivery.put_aside(TABLE, broken_of(rows.rejected))
