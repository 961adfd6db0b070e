"""National input-output tables of China as the OECD ships them: one csv a year, 45 industries
numbered 01 to 45.
"""

from __future__ import annotations

import re

import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.input_output.cells import judged, refuse_missing, refuse_short, year_in_name
from warehouse.sources.input_output.grid import heads_of, lines_of
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.setting_aside import matches

TABLE = "input_output__national"
EDITION = "2021"
EDITION_YEARS = range(1995, 2019)
COUNTRY_IN_NAME = re.compile(r"_([A-Z]{3})_\d{4}$")
# industries are numbered; every other code is final demand, tax, value added or a total
INDUSTRY = r"\d.*"

INDUSTRIES = tuple(f"{number:02d}" for number in range(1, 46))
NATIONAL_COLUMNS = (
    *INDUSTRIES,
    "HFCE",
    "NPISH",
    "GGFC",
    "GFCF",
    "INVNT",
    "CONS_ABR",
    "CONS_NONRES",
    "EXPO",
    "IMPO",
)
NATIONAL_ROWS = (*INDUSTRIES, "TXS_IMP_FNL", "TXS_INT_FNL", "TTL_INT_FNL", "VALU", "OUTPUT")


def is_national(raw: RawFile) -> bool:
    header = heads_of(raw)
    return [label.upper() for label in header[:2]] == ["CODE", "DESCRIPTION"] and 2 * len(
        set(NATIONAL_COLUMNS) & set(header)
    ) > len(NATIONAL_COLUMNS)


def read_national(raw: RawFile, delivery: Delivery) -> None:
    year = year_in_name(raw, EDITION_YEARS)
    country = COUNTRY_IN_NAME.search(raw.path.stem)
    if country and country.group(1) != "CHN":
        raise SourceError(
            raw.name,
            "",
            f"is named as the table of {country.group(1)}; only China's are kept",
            "Take it out of the configuration",
        )
    lines = list(lines_of(raw, is_small=True))
    header = [name.strip() for name in lines[0][1]]
    refuse_missing(raw.name, "line 1", "column", NATIONAL_COLUMNS, header, EDITION)
    delivery.heads(
        "", header, {0: "row_code", **dict.fromkeys(range(2, len(header)), "value_usd_million")}
    )
    cells: list[tuple[int, str, str, str]] = []
    for line, fields in lines[1:]:
        if any(fields):
            refuse_short(raw.name, line, fields, header)
            cells.extend(
                (line, fields[0].strip(), column, text)
                for column, text in zip(header[2:], fields[2:], strict=True)
            )
    refuse_missing(
        raw.name,
        f"line {len(lines)}",
        "row",
        NATIONAL_ROWS,
        [fields[0].strip() for _, fields in lines[1:] if any(fields)],
        EDITION,
    )
    delivery.read_n = (len(header) - 2) * sum(1 for _, fields in lines[1:] if any(fields))
    frame = pd.DataFrame(cells, columns=["line", "row_code", "column_code", "text"]).assign(
        year=year, edition=EDITION
    )
    between = matches(frame["row_code"], INDUSTRY) & matches(frame["column_code"], INDUSTRY)
    good, aside = judged(frame.assign(label=frame["row_code"]), between)
    delivery.accept(TABLE, good)
    delivery.put_aside(TABLE, aside)
