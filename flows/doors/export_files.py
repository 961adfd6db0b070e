"""One writer a file format. Each takes a panel with its attrs (see `warehouse.panel`), keeps units,
labels and Chinese
text, says where the numbers are simulated, and writes the same bytes from the same panel.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from flows.doors.export_about import NO_DATE, about_frame, dictionary_rows, label_of
from flows.doors.export_csv import write_csv_file
from flows.doors.export_xlsx import XLSX_ROWS, write_xlsx

if TYPE_CHECKING:
    import pandas as pd

STATA_NAME, STATA_LABEL = 32, 80
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


def write_sidecar(frame: pd.DataFrame, file: Path) -> None:
    """What a csv cannot say: panel, release, whether it is simulated, and each column's unit,
    labels and definitions.
    """
    text = json.dumps(
        {**about_frame(frame), "columns": frame.attrs.get("columns", {})},
        ensure_ascii=False,
        indent=1,
    )
    file.write_text(text, encoding="utf-8")


def write_parquet(frame: pd.DataFrame, file: Path | BinaryIO, _: str = "en") -> None:
    """Parquet; each column carries unit, labels and definitions in English and Chinese, the file
    panel, release and simulated.
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
    # Every reader of Parquet knows this packing; the time that level 12 takes is of small files.
    pq.write_table(
        table.cast(pa.schema(fields, metadata=about)),
        file,
        compression="zstd",
        compression_level=12,
    )


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


WRITERS: dict[str, Callable[[Any, Path, str], None]] = {
    ".parquet": write_parquet,
    ".csv": write_csv_file,
    ".dta": write_stata,
    ".xlsx": write_xlsx,
}


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


def _stata_label(name: str, short: str, about: dict[str, str], language: str) -> str:
    label = label_of(name, about, language)
    return (f"{name}: {label}" if name != short else label)[:STATA_LABEL]


__all__ = [
    "WRITERS",
    "XLSX_ROWS",
    "about_frame",
    "dictionary_rows",
    "frame_rows",
    "stata_names",
    "write_csv_file",
]
