"""Correspondence of GB/T 4754-2002 and ISIC Rev. 4: a table whose rows are divisions, groups or
classes of GB/T 4754.

As it is passed around, the table is a workbook with a column for each level (大类, 中类, 小类), of
which one is filled in a row; the ISIC division stands in a merged cell over all rows that share it,
and the sheet has taken codes for numbers, so that 06 became 6 and 0610 became 610. The level says
how many digits a code has, so the zeros can be put back. The project's own list (csv) names the
level in words.
"""

from __future__ import annotations

import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.headed import Cells, Headed, has_head, read_headed
from warehouse.sources.reading.setting_aside import Check, matches, sort_out
from warehouse.sources.reading.small_csv import header_of, read_small_csv

TABLE = "concordance__industries"
LEVEL_HEADS = {"大类": 2, "中类": 3, "小类": 4}
LEVELS = {"division": 2, "group": 3, "class": 4}
OWN_COLUMNS = ("isic4_code", "level", "gbt2002_code", "name_zh")
NO_COUNTERPART = ("无", "-", "—", "--")


def _isic_at(heads: Cells) -> int | None:
    return next(
        (
            at
            for at, head in enumerate(heads)
            if head.upper().replace(".", "").startswith("ISICREV4") and "名称" not in head
        ),
        None,
    )


def _is_head(heads: Cells) -> bool:
    return _isic_at(heads) is not None and set(LEVEL_HEADS) <= set(heads)


def is_crosswalk_sheet(raw: RawFile) -> bool:
    return has_head(raw, _is_head)


def is_crosswalk_csv(raw: RawFile) -> bool:
    return set(OWN_COLUMNS) <= set(header_of(raw))


def read_crosswalk_sheet(raw: RawFile, delivery: Delivery) -> None:
    pieces = list(read_headed(raw, _is_head))
    isic_at = _isic_at(pieces[0].heads)
    assert isic_at is not None
    rows, above = [], ""
    for piece in pieces:
        for line, cells in piece.rows:
            above = cells[isic_at] or above  # a merged cell shows its value in its first row only
            rows.append((line, above, *_deepest(piece, cells), _name(piece, cells)))
    if not rows[0][1]:
        raise SourceError(
            raw.name,
            f"row {rows[0][0]}",
            "has no ISIC division, and none stands above it",
            "Fetch the table again, with its first column",
        )
    _deliver(
        delivery,
        pd.DataFrame(rows, columns=["line", "isic", "code", "digits", "name_zh"]),
        len(rows),
    )


def _deepest(piece: Headed, cells: Cells) -> tuple[str, int]:
    """The code of the deepest level that a row fills, and its digits."""
    filled = [
        (cells[piece.heads.index(head)], digits)
        for head, digits in LEVEL_HEADS.items()
        if cells[piece.heads.index(head)]
    ]
    return filled[-1] if filled else ("", 0)


def _name(piece: Headed, cells: Cells) -> str:
    return next(
        (cells[at] for at, head in enumerate(piece.heads) if head in ("类别名称", "行业名称")), ""
    )


def read_crosswalk_csv(raw: RawFile, delivery: Delivery) -> None:
    table = read_small_csv(raw, OWN_COLUMNS, delivery)
    rows = table.rows.rename(columns={"isic4_code": "isic", "gbt2002_code": "code"})
    rows = rows.assign(digits=rows["level"].map(LEVELS).fillna(0).astype(int))
    delivery.put_aside(TABLE, table.broken)
    _deliver(delivery, rows[["line", "isic", "code", "digits", "name_zh"]], table.rows_n)


def _deliver(delivery: Delivery, rows: pd.DataFrame, rows_n: int) -> None:
    delivery.read_n = rows_n
    restored = [
        code.zfill(digits) if _is_number(code) else code
        for code, digits in zip(rows["code"], rows["digits"], strict=True)
    ]
    isic = rows["isic"].map(lambda code: code.zfill(2) if _is_number(code) else code)
    code = pd.Series(restored, index=rows.index, dtype="object")
    found = "GB/T 4754 " + rows["code"] + ", ISIC " + rows["isic"]
    frame = pd.DataFrame(
        {"line": rows["line"], "gbt2002_code": code, "isic4_code": isic, "name_zh": rows["name_zh"]}
    )
    fits = pd.Series(
        [
            _is_number(text) and len(text) == digits
            for text, digits in zip(code, rows["digits"], strict=True)
        ],
        index=rows.index,
    )
    good, aside = sort_out(
        frame,
        [
            Check("bad_level", rows["digits"] == 0, found),
            Check("bad_industry_code", ~fits, found),
            Check("no_counterpart", rows["isic"].isin(NO_COUNTERPART), found),
            Check("bad_isic_code", ~matches(isic, "[0-9]{2}"), found),
            Check("duplicate_key", code.duplicated(), found),
        ],
    )
    delivery.accept(TABLE, good)
    delivery.put_aside(TABLE, aside)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
