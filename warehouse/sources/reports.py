"""Government work reports: one text a city and year, as a file of its own or in an archive; its
name says whose and of what year.

Nothing inside a report says so reliably: the first line may be a title, a date, or a greeting, and
every report speaks of last year and of next year. A report is read as text and nothing else; what
is longer than any report is set aside.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pandas as pd

from warehouse.dictionary.places import city_name, city_names, unknown_name_detail
from warehouse.lake.schema import Tables
from warehouse.sources.reading.base import Delivery, Layout, RawFile, Source

TABLE = "reports__texts"
MAX_REPORT_BYTES = 2 * 1024**2  # the longest printed so far have about 100,000 characters
MIN_CHARACTERS = 50
YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")
WORDS_IN_NAMES = re.compile(r"SIMULATED|人民政府|政府工作报告|工作报告|全文|年|[\s_\-—·()（）.]+")
ENCODINGS = ("utf-8-sig", "gb18030")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def whose(name: str) -> tuple[str, str]:
    """City and year that a file's name says, each empty where it says none or several."""
    stem = PurePosixPath(name.replace("\\", "/")).stem
    years = set(YEAR.findall(stem))
    return city_name(WORDS_IN_NAMES.sub("", YEAR.sub("", stem))), (
        years.pop() if len(years) == 1 else ""
    )


def _is_report(raw: RawFile) -> bool:
    if b"\x00" in raw.head or raw.head.startswith(b"PK"):
        return False
    # The sample may end within a character, so that a strict reading would fail.
    heads = [raw.head.decode(encoding, errors="ignore") for encoding in ENCODINGS]
    return any("工作" in text and len(CHINESE.findall(text)) >= MIN_CHARACTERS for text in heads)


def _read_report(raw: RawFile, delivery: Delivery) -> None:
    with raw.path.open("rb") as handle:
        data = handle.read(MAX_REPORT_BYTES + 1)
    delivery.read_n = 1
    (city, year), text = whose(raw.name), _text(data)
    fault = _fault(raw.name, city, year, data, text)
    if fault is not None:
        delivery.put_aside(
            TABLE,
            pd.DataFrame(
                {
                    "line": [1],
                    "reason": [fault[0]],
                    "detail": [fault[1]],
                    "year": [int(year) if year else None],
                }
            ),
        )
        return
    assert text is not None
    delivery.accept(
        TABLE,
        pd.DataFrame(
            {
                "line": [1],
                "city_name": [city],
                "year": [int(year)],
                "text": [text],
                "characters_n": [len(text)],
            }
        ),
    )


def _text(data: bytes) -> str | None:
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _fault(
    name: str, city: str, year: str, data: bytes, text: str | None
) -> tuple[str, str] | None:
    """Why a report is set aside, and what stood there; the first reason that applies."""
    if not year:
        return "bad_year", name
    if city not in city_names():
        return "unknown_city", f"{name}: {unknown_name_detail(city)}"
    if len(data) > MAX_REPORT_BYTES:
        return "too_long", name
    if text is None:
        return "bad_encoding", name
    if CONTROL.search(text):
        return "bad_text", name
    return ("too_short", name) if len(text) < MIN_CHARACTERS else None


TABLES: Tables = {
    "reports__texts": {
        "city_name": "varchar",
        "year": "smallint",
        "text": "varchar",
        "characters_n": "bigint",
    },
}

SOURCE = Source(
    name="reports",
    title="Government work reports of cities",
    publisher="People's governments of cities",
    citation="各市人民政府, 政府工作报告.",
    licence="Official documents, not subject to copyright (Copyright Law of China, article 5)",
    tables=TABLES,
    reads_prose=True,
    layouts=(Layout("report_text", _is_report, _read_report),),
)
