"""Reads customs records of every layout from every kind of file: into one table of texts, judged in
one place. The table lies in files beside the load and is read row group by row group, so that a
file's size is no matter of memory.
"""

from __future__ import annotations

import csv
import fnmatch
import io
import re
import shutil
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.errors import SourceError
from warehouse.lake.loads import sql_text
from warehouse.sources.customs import tabular
from warehouse.sources.customs.judging import SCRATCH_FORM, TABLE, Stated, deliver
from warehouse.sources.customs.layouts import (
    CODE_WIDTHS,
    HEADS,
    CustomsLayout,
    fields_of,
    layout_of,
)
from warehouse.sources.customs.mending import Mended, mend
from warehouse.sources.customs.scratch import MEMORY, line_in_file, scratch_database, show
from warehouse.sources.reading.base import Delivery, Layout, RawFile
from warehouse.sources.reading.codes import ROUNDED
from warehouse.sources.reading.stata import EXACT_IN_FLOAT, refuse_rounded
from warehouse.sources.reading.text import BLANKS, sniff_text
from warehouse.sources.reading.transcoding import BLANK_LINE, Transcoded, transcode

LONGEST_LINE_BYTES = 1024 * 1024
CODES = {"date_text", "hs_text", "firm_code"}  # numbers of more figures than a float keeps
PLAIN = (
    "hs_text",
    "quantity_text",
    "quantity_unit",
    "firm_code",
    "firm_name",
    "postcode",
    "telephone",
    "production_place",
)
# The lake's column that a field fills, where it has another name; and the fields because of which
# another is not read.
FILLS = {
    "date_text": "year", "year_text": "year", "month_text": "month", "flow_text": "flow",
    "hs_text": "hs8", "value_text": "value_cents",
    "value_cny_text": "value_cents", "quantity_text": "quantity", "trade_mode_code": "trade_mode",
    "trade_mode_name": "trade_mode",
}  # fmt: skip
BETTER = {
    "year_text": ("date_text",),
    "month_text": ("date_text",),
    "value_cny_text": ("value_text",),
}
MONTH_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d{2})[-_.年]?(0[1-9]|1[0-2])(?!\d)")
YEAR_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")


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
    select = _Selection(spec, raw, fields)
    for sheet in tabular.record_sheets(raw):
        delivery.heads(sheet, heads, *select.fates(heads))
    with scratch_database(delivery) as connection:
        if tabular.is_table(raw):
            rounded = _fill_from_pieces(connection, raw, delivery, select)
        else:
            rounded = {}
            _fill_from_csv(connection, raw, delivery, select, heads)
        if spec.rows_cap and delivery.read_n == spec.rows_cap:
            problem = (
                f"holds {spec.rows_cap:,} rows, at which the query stops: the others are missing"
            )
            raise SourceError(
                raw.name, "", problem, "Ask again for fewer products, partners or months at a time"
            )
        mended = _judge(connection, raw, delivery, select.stated)
        for sheet in tabular.record_sheets(raw):
            for field, done in {**rounded, **mended.said}.items():
                delivery.column(sheet, fields[field], FILLS.get(field, field), done)
    for leftover in delivery.folder.glob("scratch.*"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def _judge(
    connection: duckdb.DuckDBPyConnection, raw: RawFile, delivery: Delivery, stated: Stated
) -> Mended:
    """Mend and judge the rows of the view `raw`.

    Raises
    ------
    SourceError : texts so long that a row group of them is no matter of memory any more.
    """
    try:
        mended = mend(connection)
        deliver(connection, delivery, stated, mended)
    except duckdb.OutOfMemoryException as error:
        raise SourceError(
            raw.name,
            "",
            f"has texts so long that a part of its rows does not fit into {MEMORY}",
            "Check that the file is a table of customs records",
        ) from error
    return mended


def _check_columns(spec: CustomsLayout, raw: RawFile, fields: dict[str, str]) -> None:
    needed = ["hs_text", *(field for field in spec.needs)]
    missing = [HEADS[field][0] for field in needed if field not in fields]
    if "value_text" not in fields and "value_cny_text" not in fields:
        missing.append(HEADS["value_text"][0])
    if missing:
        remedy = f"Ship the file with all that the layout {spec.name} needs"
        raise SourceError(raw.name, "line 1", f"lacks the column {'、'.join(missing)}", remedy)


class _Selection:
    """The select list that turns a file's columns into the common table of texts.

    Where a file has no date or no flow in its rows, the date comes from its name and the flow from
    the configuration.
    """

    def __init__(self, spec: CustomsLayout, raw: RawFile, fields: dict[str, str]) -> None:
        self.spec, self.fields = spec, fields
        given = {"date_text", "year_text", "flow_text"} & set(fields)
        self._date = _date_in_name(spec, raw) if not given & {"date_text", "year_text"} else ""
        self._flow = _flow_given(raw) if "flow_text" not in given else ""
        self.stated = Stated(
            has_months=bool({"date_text", "month_text"} & set(fields)) or "-" in self._date,
            has_places="production_place" in fields,
            has_partners=bool({"partner_code", "partner_name"} & set(fields)),
            currency="USD" if "value_text" in fields else "CNY",
        )

    def fates(self, heads: tuple[str, ...]) -> tuple[dict[int, str], dict[int, str]]:
        """Position of a head -> the lake's column that it fills, and for the others that are known
        why they are not read.
        """
        taken, reasons = {}, {}
        for field, head in self.fields.items():
            better = next((other for other in BETTER.get(field, ()) if other in self.fields), None)
            if better is None:
                taken[heads.index(head)] = FILLS.get(field, field)
            else:
                reasons[heads.index(head)] = f"{self.fields[better]} is read instead"
        return taken, reasons

    def sql(self, column: Callable[[str], str]) -> str:
        """The list, without `line`; `column` gives the SQL for a field that the file has."""
        of = partial(self._text, column)
        parts = {
            "date_text": self._date_text(of),
            "flow_text": sql_text(self._flow) if self._flow else of("flow_text"),
            "value_text": of("value_text" if "value_text" in self.fields else "value_cny_text"),
            "partner_text": self._first_of(of, "partner_code", "partner_name"),
            "trade_mode": self._first_of(of, "trade_mode_code", "trade_mode_name"),
            **{field: of(field) for field in PLAIN},
        }
        return ", ".join(f"{expression} as {name}" for name, expression in parts.items())

    def _text(self, column: Callable[[str], str], field: str) -> str:
        """A field's text, null where the file lacks the field or has the layout's missing text."""
        if field not in self.fields:
            return "null::varchar"
        return (
            f"nullif({column(field)}, {sql_text(self.spec.missing)})"
            if self.spec.missing
            else column(field)
        )

    def _first_of(self, of: Callable[[str], str], *names: str) -> str:
        there = [f"nullif({of(name)}, '')" for name in names if name in self.fields]
        return (
            f"coalesce({', '.join(there)})"
            if len(there) > 1
            else there[0]
            if there
            else "null::varchar"
        )

    def _date_text(self, of: Callable[[str], str]) -> str:
        if self._date:
            return sql_text(self._date)
        if "date_text" in self.fields:
            return of("date_text")
        year, month = (
            f"regexp_replace({of(field)}, '(年|月|\\.0*)$', '')"
            for field in ("year_text", "month_text")
        )
        return f"{year} || '-' || coalesce({month}, '')"


def _date_in_name(spec: CustomsLayout, raw: RawFile) -> str:
    """`2006-01` from a file's name, or `2006` where a layout allows it."""
    stem = raw.path.stem
    months = {f"{year}-{month}" for year, month in MONTH_IN_NAME.findall(stem)}
    years = set(YEAR_IN_NAME.findall(stem)) if spec.is_yearly and not months else set()
    if len(months | years) == 1:
        (date,) = months | years
        return date if months else f"{date}/"
    remedy = "Name the file after its month, for example customs_200601.csv" + (
        ", or after its year" if spec.is_yearly else ""
    )
    raise SourceError(
        raw.name, "line 1", "has no column with a date, and its name does not say one month", remedy
    )


def _flow_given(raw: RawFile) -> str:
    """The flow that the configuration gives for a file without such a column: export | import."""
    name = raw.path.name
    named = {
        flow
        for flow in ("export", "import")
        for pattern in raw.options.get(f"{flow}_files", "").split("\n")
        if pattern
        and (fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(raw.name, pattern))
    }
    if len(named) > 1:
        raise SourceError(
            raw.name,
            "",
            "is named by both export_files and import_files",
            "Leave it in one of the two lists of [sources.customs]",
        )
    flow = next(iter(named), raw.options.get("flow", ""))
    if not flow:
        remedy = (
            'Say it in the configuration, under [sources.customs]: flow = "export", '
            "or export_files = [...] and import_files = [...]"
        )
        raise SourceError(
            raw.name, "line 1", "has no column that tells exports from imports", remedy
        )
    return flow


def _fill_from_pieces(
    connection: duckdb.DuckDBPyConnection, raw: RawFile, delivery: Delivery, select: _Selection
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
    select: _Selection,
    heads: tuple[str, ...],
) -> None:
    """Make the view `raw` of a csv; rows that do not fit the header are set aside as broken."""
    heads = tuple(head or f"unnamed_{i}" for i, head in enumerate(heads))
    plain, texts = delivery.folder / "scratch.csv", delivery.folder / "scratch.parquet"
    seen = transcode(raw, plain, ",".join(map(str, range(len(heads)))))

    def column(field: str) -> str:
        found = f"c{heads.index(select.fields[field])}"
        text = f"trim({found}, {sql_text(BLANKS)})" if seen.has_blanks else found
        width = CODE_WIDTHS.get(field, 0) if select.spec.has_lost_zeros else 0
        return (
            f"case when length({text}) = {width - 1} then '0' || {text} else {text} end"
            if width
            else text
        )

    _copy_csv(connection, raw, _csv(plain, len(heads), select.sql(column)), texts)
    plain.unlink()
    rejected = connection.execute(
        "select distinct line, trim(csv_line, chr(10)) as detail from reject_errors order by line"
    ).df()
    good_n = show(connection, [texts], line_in_file(connection, rejected["line"].to_numpy()))
    broken = rejected[rejected["detail"] != BLANK_LINE].assign(reason="broken_row")
    _refuse_cut_off(raw, seen, good_n + len(rejected) + 1, broken["line"].tolist())
    delivery.read_n += seen.lines_n - 1
    delivery.put_aside(TABLE, broken)


def _csv(plain: Path, width: int, selected: str) -> str:
    """The query for a csv's rows of as many columns as its header, numbered from 2 on."""
    columns = ", ".join(f"'c{i}': 'varchar'" for i in range(width))
    return f"""select row_number() over () + 1 as line, {selected} from read_csv(
                    {sql_text(plain)}, columns = {{{columns}}}, header = true, delim = ',',
                    quote = '"', escape = '"', auto_detect = false, new_line = '\\n', nullstr = '',
                    store_rejects = true, rejects_limit = 0,
                    max_line_size = {LONGEST_LINE_BYTES}, buffer_size = {8 * LONGEST_LINE_BYTES})"""


def _copy_csv(connection: duckdb.DuckDBPyConnection, raw: RawFile, query: str, texts: Path) -> None:
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


def _refuse_cut_off(raw: RawFile, seen: Transcoded, last_line: int, broken: list[int]) -> None:
    """A file whose last row ends early was cut off, and nobody knows how many rows are missing."""
    if seen.lines_n <= 1:
        raise SourceError(
            raw.name, "line 1", "holds a header and no records", "Fetch the file again"
        )
    if not seen.is_ended and last_line in broken:
        raise SourceError(
            raw.name,
            f"line {last_line}",
            "ends in the middle of a row: the file is cut off",
            "Fetch the file again",
        )
