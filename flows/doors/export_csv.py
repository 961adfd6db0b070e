"""A panel as csv, column by column: DuckDB prints the numbers, and every text is made harmless and
quoted once, however many rows have it. The bytes are those that `flows.telling.printing.write_csv`
would write row by row.
"""

from __future__ import annotations

import csv
import errno
import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.telling.printing import csv_cell

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MARK = "\ufeff"  # tells spreadsheets that the file is UTF-8; without it Chinese is garbled
BATCH_ROWS = 60_000  # several batches, or one thread prints all


def write_csv_file(frame: pd.DataFrame, file: Path, _: str = "en") -> None:
    """UTF-8 with the mark that spreadsheets need for Chinese; texts that look like formulas are
    made harmless.

    Raises
    ------
    OSError : the file cannot be written, or the disk is full.
    """
    import duckdb
    import pyarrow as pa

    from warehouse.database import connect
    from warehouse.lake.loads import sql_text

    places = range(len(frame.columns))
    alone = len(places) == 1
    columns = [_column(frame.iloc[:, at], alone) for at in places]
    table = pa.Table.from_arrays(columns, names=[f"c{at}" for at in places])
    heads = _quoted((csv_cell(name) for name in frame.columns), alone)
    named = ", ".join(f"c{at} as {_identifier(head)}" for at, head in enumerate(_marked(heads)))
    file.open("wb").close()  # a folder that cannot be written to is told in Python's words
    with connect() as connection:
        batches = table.to_batches(BATCH_ROWS)
        connection.register("panel", pa.Table.from_batches(batches, schema=table.schema))
        try:
            connection.execute(
                f"copy (select {named} from panel) to {sql_text(file)} (format csv, header true,"
                f" nullstr '{_quoted([''], alone)[0]}', quote '', escape '')"
            )
        except duckdb.IOException as error:
            raise OSError(errno.EIO, str(error).splitlines()[0]) from error


def _column(series: pd.Series[Any], alone: bool) -> pa.Array:
    """Numbers and truth values as they are; everything else as finished cells, each different one
    finished once. What is missing is null.
    """
    import pandas as pd
    import pyarrow as pa

    kind = series.dtype.kind
    if kind == "f":
        return pa.array(series.to_numpy("float64", na_value=float("nan")), from_pandas=True)
    if kind in "iub":
        return pa.array(series, from_pandas=True)
    if isinstance(series.dtype, pd.StringDtype):
        texts = pa.array(series, pa.large_string(), from_pandas=True)
        # A column of frames put under each other is in several pieces.
        texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
        found = texts.dictionary_encode()
        cells = _quoted(map(csv_cell, found.dictionary.to_pylist()), alone)
        return pa.DictionaryArray.from_arrays(found.indices, pa.array(cells, pa.large_string()))
    values = (
        "" if missing else csv_cell(value)
        for value, missing in zip(series.tolist(), series.isna(), strict=True)
    )
    return pa.array(_quoted(values, alone), pa.large_string())


def _quoted(cells: Iterable[Any], alone: bool) -> list[str]:
    """Cells as they stand in a csv of one column (alone: an empty one is then quoted) or more."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    texts = []
    for cell in cells:
        sink.seek(0)
        sink.truncate()
        writer.writerow([cell] if alone else [cell, ""])
        texts.append(sink.getvalue()[: -1 if alone else -2])
    return texts


def _marked(heads: list[str]) -> list[str]:
    return [MARK + heads[0], *heads[1:]]


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
