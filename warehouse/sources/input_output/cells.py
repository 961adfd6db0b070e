"""What both kinds of tables share: the year in a name, refusals, and the judgment of
single cells.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.reading.base import RawFile
from warehouse.sources.reading.setting_aside import Check, as_numbers, sort_out

EDITION_IN_NAME = re.compile(r"ICIO\d{4}|\d{4}ed", re.IGNORECASE)
LARGEST = 1e12  # million USD, ten thousand times the output of the world
YEAR_IN_NAME = re.compile(r"(?<!\d)(\d{4})(?!\d)")


def year_in_name(raw: RawFile, years: range) -> int:
    """The one year of the edition that a file's name holds, the edition's own number set apart."""
    found = {int(year) for year in YEAR_IN_NAME.findall(EDITION_IN_NAME.sub("", raw.path.stem))}
    named = sorted(found & set(years))
    if len(named) != 1:
        first, last = years[0], years[-1]
        problem = (
            f"names {len(named)} years between {first} and {last} in its file name, and the table's"
            " year stands nowhere else"
        )
        raise SourceError(
            raw.name,
            "",
            problem,
            f"Name the file after its year, for example oecd_national_io_2021ed_CHN_{last}.csv or"
            f" ICIO2021_{last}.csv",
        )
    return named[0]


def judged(frame: pd.DataFrame, between_industries: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Good cells and those set aside; `text` is what stands there, `label` its row as the file
    names it.
    """
    frame = frame.assign(value_usd_million=as_numbers(frame["text"]))
    found = "row " + frame["label"] + ", column " + frame["column_code"] + ": " + frame["text"]
    good, aside = sort_out(
        frame,
        [
            Check("bad_number", frame["value_usd_million"].isna(), found),
            Check("out_of_range", frame["value_usd_million"].abs() > LARGEST, found),
            Check("negative_value", between_industries & (frame["value_usd_million"] < 0), found),
        ],
    )
    return good.drop(columns=["text", "label"]), aside


def refuse_missing(
    file: str, place: str, kind: str, wanted: Sequence[str], found: Sequence[str], edition: str
) -> None:
    """Refuse a table that lacks a row or column, or has one twice."""
    there = set(found)
    missing = [name for name in wanted if name not in there]
    if missing:
        shown = ", ".join(missing[:5]) + (
            f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        )
        remedy = (
            f"The file is cut off or not of the {edition} edition: fetch it again from the OECD"
        )
        raise SourceError(file, place, f"has no {kind} {shown}", remedy)
    if len(there) < len(found):
        twice = Counter(found).most_common(1)[0][0]
        raise SourceError(
            file, place, f"has the {kind} {twice} twice", "Fetch the file again from the OECD"
        )


def refuse_short(file: str, line: int, fields: Sequence[str], header: Sequence[str]) -> None:
    if len(fields) != len(header):
        problem = f"has {len(fields)} values, {len(header)} expected"
        raise SourceError(
            file,
            f"line {line}",
            problem,
            "The file is cut off or damaged: fetch it again from the OECD",
        )
