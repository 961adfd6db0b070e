"""One writer a file format. Each takes a panel with its attrs (see `warehouse.panel`), keeps units,
labels and Chinese
text, says where the numbers are simulated, and writes the same bytes from the same panel.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from flows.telling.printing import write_csv
from warehouse.errors import CitytradeError

if TYPE_CHECKING:
    import pandas as pd

NO_DATE = datetime(
    2000, 1, 1
)  # files that must carry a date carry this one: when a copy was made is no part of the data
STATA_NAME, STATA_LABEL = 32, 80
XLSX_ROWS, XLSX_CELL = 1_048_576, 32_767
# What Stata keeps for itself, and the words that pandas would rename, which loses their label.
STATA_RESERVED = frozenset((
    "aggregate", "array", "boolean", "break", "byte", "case", "catch", "class", "colvector",
    "complex", "const", "continue", "default", "delegate",
    "delete", "do", "double", "else", "eltypedef", "end", "enum", "explicit", "export", "external",
    "float", "for", "friend", "function", "global",
    "goto", "if", "in", "inline", "int", "local", "long", "namespace", "new", "numeric", "null",
    "operator", "orgtypedef", "polymorphic", "pragma",
    "private", "protected", "quad", "rowvector", "short", "signed", "static", "strL", "string",
    "struct", "super", "switch", "template", "this",
    "throw", "transmorphic", "try", "typedef", "typename", "union", "unsigned", "using", "vector",
    "version", "virtual", "void", "volatile", "while",
    "with", "_all", "_b", "_coef", "_cons", "_n", "_N", "_pi", "_pred", "_rc", "_skip",
))  # fmt: skip
FORBIDDEN_IN_XLSX = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def write_csv_file(frame: pd.DataFrame, file: Path, _: str = "en") -> None:
    """UTF-8 with the mark that spreadsheets need for Chinese; texts that look like formulas are
    made harmless.
    """
    with file.open("w", encoding="utf-8-sig", newline="") as sink:
        write_csv(list(frame.columns), frame_rows(frame), sink)


def write_sidecar(frame: pd.DataFrame, file: Path) -> None:
    """What a csv cannot say: panel, release, whether it is simulated, and each column's unit,
    labels and definition.
    """
    text = json.dumps(
        {**about_frame(frame), "columns": frame.attrs.get("columns", {})},
        ensure_ascii=False,
        indent=1,
    )
    file.write_text(text, encoding="utf-8")


def write_parquet(frame: pd.DataFrame, file: Path | BinaryIO, _: str = "en") -> None:
    """Parquet; each column carries unit, label_en, label_zh and definition, the file panel, release
    and simulated.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    labels = frame.attrs.get("columns", {})
    fields = [
        field.with_metadata({key: str(text) for key, text in labels.get(field.name, {}).items()})
        for field in table.schema
    ]
    about = {"citytrade": json.dumps(about_frame(frame), ensure_ascii=False, sort_keys=True)}
    pq.write_table(table.cast(pa.schema(fields, metadata=about)), file, compression="zstd")


def write_stata(frame: pd.DataFrame, file: Path, language: str = "en") -> None:
    """Stata 118 (readable from Stata 14 on): labels with units; a name of more than 32 signs is
    shortened, its label says the whole name.
    """
    import pandas as pd

    names = stata_names(list(frame.columns))
    columns: dict[str, pd.Series[Any]] = {}
    for name in frame.columns:
        series = frame[name]
        if isinstance(series.dtype, pd.BooleanDtype) or series.dtype == bool:
            series = series.astype("float64") if series.isna().any() else series.astype("int8")
        elif isinstance(series.dtype, pd.Int64Dtype):
            series = series.astype("float64")
        elif not pd.api.types.is_numeric_dtype(series.dtype):
            # A text column without any text would otherwise have no width at all; what is neither
            # number nor text, such as a date, becomes text.
            series = series.astype("object").where(series.notna(), "").map(str)
        columns[names[name]] = series
    labels = {
        names[name]: _stata_label(
            name, names[name], frame.attrs.get("columns", {}).get(name, {}), language
        )
        for name in frame.columns
    }
    about = about_frame(frame)
    said = (
        f"{'SIMULATED ' if about['simulated'] else ''}{about['panel']}, release {about['release']}"
    )
    pd.DataFrame(columns).to_stata(
        file,
        write_index=False,
        version=118,
        variable_labels=labels,
        data_label=said[:STATA_LABEL],
        time_stamp=NO_DATE,
    )


def write_xlsx(frame: pd.DataFrame, file: Path, language: str = "en") -> None:
    """A workbook: sheet `data` (its heads are names, or Chinese labels with units), sheet
    `dictionary` with units, labels and definitions, sheet `about`.

    Raises
    ------
    CitytradeError : more rows than a sheet holds.
    """
    from openpyxl import Workbook

    if len(frame) >= XLSX_ROWS:
        raise CitytradeError(
            f"{frame.attrs.get('panel') or 'This panel'}: a sheet holds {XLSX_ROWS - 1:,} rows and"
            f" the panel has {len(frame):,}. Save it as .parquet, .dta or .csv, or take fewer"
            " years."
        )
    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = NO_DATE
    about = frame.attrs.get("columns", {})
    heads = [
        _label(name, about.get(name, {}), language) if language == "zh" else name
        for name in frame.columns
    ]
    _sheet(book, "data", [heads, *frame_rows(frame)])
    _sheet(book, "dictionary", dictionary_rows(frame))
    _sheet(
        book,
        "about",
        [
            [key, value if isinstance(value, (bool, int)) else str(value)]
            for key, value in about_frame(frame).items()
        ],
    )
    book.save(file)
    _without_dates(file)


WRITERS: dict[str, Callable[[Any, Path, str], None]] = {
    ".parquet": write_parquet,
    ".csv": write_csv_file,
    ".dta": write_stata,
    ".xlsx": write_xlsx,
}


def about_frame(frame: pd.DataFrame) -> dict[str, Any]:
    """What a file says of itself: panel, release, whether it is simulated, rows."""
    simulated = bool(frame.attrs.get("simulated", False))
    about: dict[str, Any] = {
        "panel": frame.attrs.get("panel", ""),
        "release": frame.attrs.get("release", ""),
        "simulated": simulated,
        "rows": len(frame),
    }
    if simulated:
        about["note"] = (
            "SIMULATED WORLD: these numbers come from a simulation; they say nothing about "
            "real cities. 模拟数据，并非任何城市的事实。"
        )
    return about


def dictionary_rows(frame: pd.DataFrame) -> list[list[Any]]:
    """A header and one row a column: name, unit, labels, definition."""
    parts = ("unit", "label_en", "label_zh", "definition")
    labels = frame.attrs.get("columns", {})
    return [
        ["column_name", *parts],
        *(
            [name, *(labels.get(name, {}).get(part, "") for part in parts)]
            for name in frame.columns
        ),
    ]


def frame_rows(frame: pd.DataFrame) -> Iterator[Sequence[Any]]:
    """A frame's rows as plain Python values, None where one is missing."""
    columns = [
        [
            None if missing else value
            for value, missing in zip(frame[name].tolist(), frame[name].isna(), strict=True)
        ]
        for name in frame.columns
    ]
    return zip(*columns, strict=True)


def stata_names(names: Sequence[str]) -> dict[str, str]:
    """A valid and unique Stata name for each column: long ones lose vowels of their longest words,
    then their end.
    """
    given: dict[str, str] = {}
    for name in names:
        short = _shortened(name)
        number = 1
        while short in given.values():
            number += 1
            short = f"{_shortened(name)[: STATA_NAME - 3]}_{number}"
        given[name] = short
    return given


def _shortened(name: str) -> str:
    parts = name.split("_")
    for at in sorted(range(len(parts)), key=lambda at: -len(parts[at])):
        if len("_".join(parts)) > STATA_NAME:
            parts[at] = parts[at][0] + re.sub("[aeiou]", "", parts[at][1:])
    short = "_".join(parts)[:STATA_NAME].rstrip("_")
    return f"{short}_" if short in STATA_RESERVED or re.fullmatch(r"str\d+", short) else short


def _label(name: str, about: dict[str, str], language: str) -> str:
    """A column's label with its unit; the column's name where the dictionary has none."""
    label = about.get(f"label_{language}") or about.get("label_en")
    if not label:
        return name
    return f"{label}（{about['unit']}）" if language == "zh" else f"{label} ({about['unit']})"


def _stata_label(name: str, short: str, about: dict[str, str], language: str) -> str:
    label = _label(name, about, language)
    return (f"{name}: {label}" if name != short else label)[:STATA_LABEL]


def _sheet(book: Any, title: str, rows: Sequence[Sequence[Any]]) -> None:
    from openpyxl.cell import WriteOnlyCell

    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for row in rows:
        cells = []
        for value in row:
            if isinstance(value, str):
                cell = WriteOnlyCell(sheet, FORBIDDEN_IN_XLSX.sub("", value)[:XLSX_CELL])
                cell.data_type = "s"  # text, whatever it begins with: never a formula
                cells.append(cell)
            else:
                cells.append(
                    value
                    if value is None or isinstance(value, (bool, int, float, date))
                    else str(value)
                )
        sheet.append(cells)


def _without_dates(file: Path) -> None:
    """Write the workbook's parts again under one fixed date, so that the same panel gives the same
    bytes.
    """
    with zipfile.ZipFile(file) as book:
        parts = [(name, book.read(name)) for name in book.namelist()]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts:
            if name == "docProps/core.xml":
                content = re.sub(
                    rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2000-01-01T00:00:00Z", content
                )
            entry = zipfile.ZipInfo(name, NO_DATE.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            book.writestr(entry, content)


__all__ = ["WRITERS", "about_frame", "dictionary_rows", "frame_rows", "stata_names"]
