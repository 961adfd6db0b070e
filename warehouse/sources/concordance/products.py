"""Correspondence between revisions of the Harmonized System, and from it to Broad Economic
Categories (BEC) and elasticities.

The Statistics Division of the United Nations ships one workbook a pair of revisions with two
sheets: the correlation table (every pair of codes that share goods, and how) and the conversion
table (one target for each code). Header rows, blank columns and the writing of relations differ
between workbooks, so columns are found by their heads.
"""

from __future__ import annotations

import re

import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.setting_aside import Check, matches, sort_out
from warehouse.sources.reading.sheets import Rows, is_workbook, read_workbook
from warehouse.sources.reading.small_csv import header_of, read_small_csv

REVISION_HEAD = re.compile(r"(?:from\s+|to\s+)?HS\s*((?:19|20)?\d\d)", re.IGNORECASE)
RELATION = r"'?\s*([1nN])\s*(?::|[tT][oO])\s*([1nN])"
REVISIONS = (1996, 2002, 2007, 2012, 2017)
HEADER_ROWS = 30
HS6 = r"[0-9]{6}"


def _revision(raw: RawFile, head: str) -> int:
    found = REVISION_HEAD.fullmatch(head)
    assert found is not None
    digits = found.group(1)
    year = (
        int(digits)
        if len(digits) == 4
        else 1900 + int(digits)
        if digits > "50"
        else 2000 + int(digits)
    )
    if year not in REVISIONS:
        known = ", ".join(map(str, REVISIONS))
        raise SourceError(
            raw.name,
            f"head {head!r}",
            f"HS {year} is none of the revisions that are kept ({known})",
            "Take the file out of the configuration",
        )
    return year


def _hs6_text(cell: object) -> str:
    """A cell as a code: a number gets the leading zero back that the sheet dropped, `0101.10` loses
    its dot.
    """
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and float(cell).is_integer():
        return f"{int(cell):06d}"
    return re.sub(r"^([0-9]{4})\.([0-9]{2})$", r"\1\2", str(cell).strip())


def _hs_heads(row: list[object]) -> list[int]:
    """Positions of the cells that head a column of HS codes, the one that says `To` last."""
    heads = [
        position for position, cell in enumerate(row) if REVISION_HEAD.fullmatch(str(cell).strip())
    ]
    return sorted(heads, key=lambda position: str(row[position]).strip().lower().startswith("to"))


def _header_row(rows: Rows) -> int | None:
    return next((number for number, row in enumerate(rows[:HEADER_ROWS]) if _hs_heads(row)), None)


def is_hs_workbook(raw: RawFile) -> bool:
    return is_workbook(raw) and any(
        _header_row(rows) is not None for rows in read_workbook(raw).values()
    )


def read_hs_workbook(raw: RawFile, delivery: Delivery) -> None:
    sheets = {
        name: rows for name, rows in read_workbook(raw).items() if _header_row(rows) is not None
    }
    frames = [_read_sheet(raw, delivery, name, rows) for name, rows in sheets.items()]
    delivery.read_n = sum(
        sum(1 for row in rows[(_header_row(rows) or 0) + 1 :] if _filled(row))
        for rows in sheets.values()
    )
    frame = pd.concat(frames, ignore_index=True)
    if frame.empty:
        raise SourceError(
            raw.name, "", "has headers and no rows", "Fetch the workbook again from its publisher"
        )
    is_correlation = frame["kind"] == "correlation"
    target = frame["to_hs6"].where(is_correlation, "")  # a conversion table knows one target a code
    keys = frame[["kind", "from_revision", "to_revision", "from_hs6"]].assign(target=target)
    parts = frame["relation_text"].str.extract(f"^{RELATION}$")
    frame["relationship"] = (parts[0] + ":" + parts[1]).str.lower().where(is_correlation)
    place = frame["sheet"] + ": "
    pair = place + frame["from_hs6"] + " to " + frame["to_hs6"]
    good, aside = sort_out(
        frame,
        [
            Check(
                "bad_hs_code",
                ~(matches(frame["from_hs6"], HS6) & matches(frame["to_hs6"], HS6)),
                pair,
            ),
            Check(
                "bad_relationship",
                is_correlation & frame["relationship"].isna(),
                place + frame["relation_text"],
            ),
            Check("duplicate_key", keys.duplicated(), pair),
        ],
    )
    delivery.accept("concordance__hs", good.drop(columns=["relation_text", "sheet"]))
    delivery.put_aside("concordance__hs", aside)


def _filled(row: list[object]) -> bool:
    return any(str(cell).strip() for cell in row)


def _read_sheet(raw: RawFile, delivery: Delivery, sheet: str, rows: Rows) -> pd.DataFrame:
    """One sheet's pairs as text, with `line` (row of the sheet); a sheet with a relationship column
    is a correlation table.
    """
    number = _header_row(rows)
    assert number is not None
    header = [str(cell).strip() for cell in rows[number]]
    heads = _hs_heads(rows[number])
    if len(heads) != 2:
        place, problem = (
            f"sheet {sheet!r}, row {number + 1}",
            f"heads {len(heads)} of its columns as HS codes, two expected",
        )
        raise SourceError(raw.name, place, problem, "Fetch the workbook again from its publisher")
    relation = next(
        (position for position, head in enumerate(header) if head.lower().startswith("relation")),
        None,
    )
    taken = {heads[0]: "from_hs6", heads[1]: "to_hs6"} | (
        {} if relation is None else {relation: "relationship"}
    )
    delivery.heads(sheet, header, taken)
    body = [
        (line, row) for line, row in enumerate(rows[number + 1 :], start=number + 2) if _filled(row)
    ]
    return pd.DataFrame(
        {
            "line": [line for line, _ in body],
            "from_hs6": [_hs6_text(row[heads[0]]) for _, row in body],
            "to_hs6": [_hs6_text(row[heads[1]]) for _, row in body],
            "relation_text": [
                "" if relation is None else str(row[relation]).strip() for _, row in body
            ],
        }
    ).assign(
        kind="conversion" if relation is None else "correlation",
        from_revision=_revision(raw, header[heads[0]]),
        to_revision=_revision(raw, header[heads[1]]),
        sheet=f"sheet {sheet}",
    )


def is_bec(raw: RawFile) -> bool:
    return any(REVISION_HEAD.fullmatch(name) for name in header_of(raw))


def read_bec(raw: RawFile, delivery: Delivery) -> None:
    """HS to BEC (fourth revision); a code that belongs to several categories has several rows."""
    head = next(name for name in header_of(raw) if REVISION_HEAD.fullmatch(name))
    table = read_small_csv(raw, {head: "hs6", "BEC": "bec_code"}, delivery)
    frame = table.rows[["line"]].assign(
        revision=_revision(raw, head),
        hs6=table.rows[head].map(_hs6_text),
        bec_code=table.rows["BEC"],
    )
    delivery.read_n = table.rows_n
    pair = frame["hs6"] + " to " + frame["bec_code"]
    good, aside = sort_out(
        frame,
        [
            Check("bad_hs_code", ~matches(frame["hs6"], HS6), pair),
            Check("bad_bec_code", ~matches(frame["bec_code"], "[0-9]{1,3}"), pair),
            Check("duplicate_key", frame.duplicated(["hs6", "bec_code"]), pair),
        ],
    )
    delivery.accept("concordance__bec", good)
    delivery.put_aside("concordance__bec", pd.concat([table.broken, aside]))
