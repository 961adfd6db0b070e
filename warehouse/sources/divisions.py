"""Codes of administrative divisions (GB/T 2260), one JSON object of code and name for each vintage
of the standard.

The vintage (year and month) stands in the file's name only. A file that lists one territory, as the
lists of Hong Kong's and Macao's districts do, is refused: taken for a vintage, it would be the
newest one and know no other place.
"""

from __future__ import annotations

import json
import re

import pandas as pd

from warehouse.dictionary.places import clean_name
from warehouse.errors import SourceError
from warehouse.lake.schema import Tables
from warehouse.sources.reading.base import Delivery, Layout, RawFile, Source
from warehouse.sources.reading.setting_aside import Check, matches, sort_out
from warehouse.sources.reading.text import read_text, sniff_text

FIRST_PAIR = re.compile(r'\s*\{\s*"[^"]{1,12}"\s*:')
VINTAGE_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d{2}(?:0[1-9]|1[0-2]))(?!\d)")
WHOLE_COUNTRY = "110000"  # Beijing, the first code of every vintage


def _is_vintage(raw: RawFile) -> bool:
    return FIRST_PAIR.match(sniff_text(raw) or "") is not None


def _read_vintage(raw: RawFile, delivery: Delivery) -> None:
    vintages = VINTAGE_IN_NAME.findall(raw.path.stem)
    if len(vintages) != 1:
        problem = "has a name without one year and month, which say the vintage"
        raise SourceError(
            raw.name, "", problem, "Name the file after its vintage, for example 200212.json"
        )
    text = read_text(raw)
    pairs = _pairs(raw, text)
    delivery.read_n = len(pairs)
    if not any(code == WHOLE_COUNTRY for code, _ in pairs):
        problem = (
            f"does not list {WHOLE_COUNTRY} (Beijing), so it is not a vintage of the whole standard"
        )
        raise SourceError(
            raw.name, "", problem, "Take a list of one territory out of the configuration"
        )
    frame = pd.DataFrame(
        {
            "line": _lines(text, [code for code, _ in pairs]),
            "division_code": pd.Series([code for code, _ in pairs], dtype="str"),
            "name_zh": pd.Series(
                [clean_name(name) if isinstance(name, str) else "" for _, name in pairs],
                dtype="str",
            ),
        }
    ).assign(vintage=vintages[0])
    found = frame["division_code"] + ": " + frame["name_zh"]
    good, aside = sort_out(
        frame,
        [
            Check("bad_code", ~matches(frame["division_code"], "[1-9][0-9]{5}"), found),
            Check("missing_name", frame["name_zh"] == "", found),
            Check("duplicate_key", frame.duplicated("division_code"), found),
        ],
    )
    delivery.accept("divisions__names", good)
    delivery.put_aside("divisions__names", aside)


def _pairs(raw: RawFile, text: str) -> list[tuple[str, object]]:
    """Codes and names in the file's order, a repeated code as often as it stands there."""
    try:
        pairs: list[tuple[str, object]] = json.loads(
            text, object_pairs_hook=list, parse_int=_no_name
        )
    except json.JSONDecodeError as error:
        problem = f"is not complete JSON ({error.msg})"
        raise SourceError(
            raw.name,
            f"line {error.lineno}",
            problem,
            "The file is cut off or damaged: fetch it again",
        ) from error
    except RecursionError as error:
        raise SourceError(
            raw.name,
            "",
            "is nested too deeply to be a list of codes",
            "Check that the right file is named",
        ) from error
    return pairs


def _no_name(number: str) -> None:
    """A number where a name should stand; it may have more figures than Python converts."""


def _lines(text: str, codes: list[str]) -> list[int]:
    """The line of each code; one written with escapes is not found and takes the line of the code
    before it.
    """
    lines, at, line = [], 0, 1
    for code in codes:
        found = text.find(f'"{code}"', at)
        if found >= 0:
            line += text.count("\n", at, found)
            at = found
        lines.append(line)
    return lines


TABLES: Tables = {
    "divisions__names": {"vintage": "varchar", "division_code": "varchar", "name_zh": "varchar"},
}

SOURCE = Source(
    name="divisions",
    title="Codes of administrative divisions, GB/T 2260",
    publisher="National Bureau of Statistics of China; Standardization Administration of China",
    citation=(
        "GB/T 2260, Codes for the administrative divisions of the People's Republic of China, "
        "vintages 2002-2016, as collected by the project gb2260"
    ),
    licence="Codes are public; the collection gb2260 is under the MIT licence",
    tables=TABLES,
    layouts=(Layout("gb2260_json", _is_vintage, _read_vintage),),
)
