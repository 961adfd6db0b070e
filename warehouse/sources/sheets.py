"""Workbooks: xlsx and xls, read as values only (no formula or macro is ever run), with a limit on their size."""

from __future__ import annotations

import zipfile
from functools import lru_cache
from pathlib import Path
from typing import cast

import python_calamine

from warehouse.errors import SourceError
from warehouse.sources.base import RawFile

MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
XLSX_MARK = b"PK\x03\x04"
XLS_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

Rows = list[list[object]]


def is_workbook(raw: RawFile) -> bool:
    return raw.head.startswith((XLSX_MARK, XLS_MARK))


def read_workbook(raw: RawFile) -> dict[str, Rows]:
    """Every sheet's rows from its first cell on; blank cells are "", numbers float, text str, dates datetime.

    The last workbook is remembered, since each layout looks into it to recognise its own: do not change the rows.

    Raises
    ------
    SourceError : a workbook that is truncated, encrypted or unpacks to more than 1 GiB.
    """
    return _read_workbook(raw.path, raw.fingerprint)


@lru_cache(maxsize=1)
def _read_workbook(path: Path, fingerprint: str) -> dict[str, Rows]:
    raw = RawFile(path, fingerprint)
    if raw.head.startswith(XLSX_MARK):
        _refuse_bomb(raw)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(raw.path))
        sheets = {name: workbook.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in workbook.sheet_names}
        return cast(dict[str, Rows], sheets)
    except Exception as error:  # calamine raises many kinds, some of them plain Exception
        raise SourceError(raw.name, "", f"cannot be read as a workbook ({error})", "Open it in a spreadsheet program, save it again and refresh") from error


def _refuse_bomb(raw: RawFile) -> None:
    try:
        with zipfile.ZipFile(raw.path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise SourceError(raw.name, "", "is cut off or not a workbook", "Fetch the file again") from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise SourceError(
            raw.name,
            "",
            f"unpacks to {unpacked:,} bytes, more than the {MAX_UNPACKED_BYTES:,} allowed",
            "Check where the file comes from; split it if it is genuine",
        )
