"""A panel as a file that others read."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.printing import write_csv
from warehouse.errors import CitytradeError

if TYPE_CHECKING:
    import pandas as pd


def save(frame: pd.DataFrame, file: Path) -> None:
    """Write a panel as csv (UTF-8 with a mark that spreadsheets need for Chinese) or Parquet, whole or not at all.

    Raises
    ------
    CitytradeError : another ending than .csv or .parquet, or a folder that cannot be written to.
    """
    if file.suffix not in (".csv", ".parquet"):
        raise CitytradeError(f"{file}: a panel is saved as .csv or .parquet. Choose one of these endings.")
    partial = file.with_name(f".{file.stem}.{uuid.uuid4().hex[:8]}{file.suffix}")
    try:
        if file.suffix == ".csv":
            with partial.open("w", encoding="utf-8-sig", newline="") as sink:
                write_csv(list(frame.columns), frame_rows(frame), sink)
        else:
            frame.to_parquet(partial, index=False)
        partial.replace(file)
    except OSError as error:
        raise CitytradeError(f"{file}: cannot be written ({error.strerror}). Check that its folder is there and may be written to.") from error
    finally:
        partial.unlink(missing_ok=True)


def frame_rows(frame: pd.DataFrame) -> Iterator[Sequence[Any]]:
    """A frame's rows as plain Python values, None where one is missing."""
    columns = [[None if missing else value for value, missing in zip(frame[name].tolist(), frame[name].isna(), strict=True)] for name in frame.columns]
    return zip(*columns, strict=True)
