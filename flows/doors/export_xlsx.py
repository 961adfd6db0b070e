"""A panel as a workbook, row by row in memory that does not grow with the panel: sheet `data`,
sheet `dictionary` with units, labels and definitions, sheet `about`. The same panel gives the same
bytes.
"""

from __future__ import annotations

import re
import zipfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.doors.export_about import NO_DATE, about_frame, dictionary_rows, label_of
from warehouse.errors import CitytradeError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

XLSX_ROWS, XLSX_CELL = 1_048_576, 32_767
FORBIDDEN = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
DAY, MOMENT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
PROPERTIES = "docProps/core.xml"
DATED = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def write_xlsx(frame: pd.DataFrame, file: Path, language: str = "en") -> None:
    """The heads of `data` are names, or Chinese labels with units. Texts stay texts, whatever they
    begin with: no cell is a formula. What is missing is an empty cell; an infinite number, which a
    workbook cannot hold, the text inf.

    The sheet lies unpacked in the folder for temporary files while it is written: about 40 bytes a
    cell.

    Raises
    ------
    CitytradeError : more rows than a sheet holds.
    """
    from rustpy_xlsxwriter import FastExcel

    if len(frame) >= XLSX_ROWS:
        raise CitytradeError(
            f"{frame.attrs.get('panel') or 'This panel'}: a sheet holds {XLSX_ROWS - 1:,} rows and"
            f" the panel has {len(frame):,}. Save it as .parquet, .dta or .csv, or take fewer"
            " years."
        )
    file.open("wb").close()  # a folder that cannot be written to is told in Python's words
    data = _table(frame, language)
    (
        FastExcel(file, output_format="xlsx")
        .format(datetime_format=MOMENT, inf_value="inf")
        .freeze(row=1)
        .sheet("data", data, column_formats=_formats(data))
        .sheet("dictionary", _as_table(dictionary_rows(frame)))
        .sheet("about", _records(about_frame(frame)))
        .save()
    )
    _without_dates(file)


def _table(frame: pd.DataFrame, language: str) -> pa.Table:
    """The columns under their heads, in the few types whose cells the writer knows."""
    import pyarrow as pa

    about = frame.attrs.get("columns", {})
    heads = [
        label_of(name, about.get(name, {}), language) if language == "zh" else name
        for name in frame.columns
    ]
    columns = [_column(frame.iloc[:, at]) for at in range(len(heads))]
    return pa.Table.from_arrays(columns, names=[str(head) for head in heads])


def _column(series: pd.Series[Any]) -> pa.Array:
    import pandas as pd
    import pyarrow as pa

    kind = series.dtype.kind
    if kind in "fiub":
        kinds = {"f": pa.float64(), "i": pa.int64(), "u": pa.uint64(), "b": pa.bool_()}
        if kind == "f":
            numbers = series.to_numpy("float64", na_value=float("nan"))
            return pa.array(numbers, from_pandas=True)
        return pa.array(series, kinds[kind], from_pandas=True)
    if isinstance(series.dtype, pd.StringDtype):
        return _clean(pa.array(series, pa.large_string(), from_pandas=True))
    values = [
        None if missing else value
        for value, missing in zip(series.tolist(), series.isna(), strict=True)
    ]
    if any(value is not None for value in values) and all(
        value is None or isinstance(value, date) for value in values
    ):
        made = pa.array(values, from_pandas=True)
        return made if pa.types.is_date(made.type) else made.cast(pa.timestamp("us"))
    texts = [None if value is None else str(value) for value in values]
    return _clean(pa.array(texts, pa.large_string()))


def _clean(texts: pa.Array) -> pa.Array:
    """Without signs that a workbook must not hold, and no longer than a cell."""
    import pyarrow.compute as pc

    return pc.utf8_slice_codeunits(pc.replace_substring_regex(texts, FORBIDDEN, ""), 0, XLSX_CELL)


def _formats(data: pa.Table) -> list[Any]:
    import pyarrow as pa
    from rustpy_xlsxwriter import Format

    return [
        Format().set_num_format(DAY) if pa.types.is_date(kind) else None
        for kind in data.schema.types
    ]


def _as_table(rows: list[list[Any]]) -> pa.Table:
    """Rows of texts, the first of them their heads."""
    import pyarrow as pa

    heads, *rest = rows
    columns = [
        _clean(pa.array([str(row[at]) for row in rest], pa.large_string()))
        for at in range(len(heads))
    ]
    return pa.Table.from_arrays(columns, names=heads)


def _records(about: dict[str, Any]) -> list[dict[str, Any]]:
    """A row a fact. The sheet has no heads, so the first fact stands where they would."""
    (first_key, first), *rest = (
        (key, value if isinstance(value, (bool, int)) else str(value))
        for key, value in about.items()
    )
    return [{first_key: key, str(first): value} for key, value in rest]


def _without_dates(file: Path) -> None:
    """Give the workbook one fixed date, so that the same panel gives the same bytes. What lies
    behind the part that says it, the small end of the file, is packed again; the sheets stay.
    """
    said = rb"\g<1>" + NO_DATE.isoformat().encode() + b"Z"
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as book:
        start = book.getinfo(PROPERTIES).header_offset
        end = [entry for entry in book.infolist() if entry.header_offset >= start]
        parts = [(entry.filename, book.read(entry)) for entry in end]
        for entry in end:
            book.filelist.remove(entry)
            del book.NameToInfo[entry.filename]
        book.start_dir = start
        for name, content in parts:
            fresh = zipfile.ZipInfo(name, NO_DATE.timetuple()[:6])
            fresh.compress_type = zipfile.ZIP_DEFLATED
            book.writestr(fresh, DATED.sub(said, content) if name == PROPERTIES else content)
