"""Elasticities of substitution by three-digit HS product and importing country, as Broda and
Weinstein pass them on, in
Stata, or as people keep them in a csv or a workbook.

The product code is stored as a number, so that 010 became 10; it gets its zeros back here. A file
holds 73 countries; the lake keeps all of them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.reading.aliased import has_aliased, read_aliased
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.setting_aside import Check, matches, sort_out
from warehouse.sources.reading.stata import stata_frame
from warehouse.sources.reading.stata_header import stata_release

TABLE = "concordance__elasticities"
COLUMNS = ("cname", "hs_3digit", "sigma")
HS3 = r"(?!00)[0-9]{3}"


def is_elasticities(raw: RawFile) -> bool:
    """A Stata file of any format (105-121) that names the columns."""
    return stata_release(raw) is not None and all(name.encode() in raw.head for name in COLUMNS)


def read_elasticities(raw: RawFile, delivery: Delivery) -> None:
    """One row a country and three-digit product; a value that no elasticity can have is
    set aside.
    """
    frame = stata_frame(raw)
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise SourceError(
            raw.name,
            "",
            f"column {', '.join(missing)} is missing",
            "Fetch the file again from its publisher",
        )
    if frame.empty:
        raise SourceError(
            raw.name, "", "has columns and no rows", "Fetch the file again from its publisher"
        )
    delivery.heads(
        "", list(frame.columns), {list(frame.columns).index(name): name for name in COLUMNS}
    )
    _deliver(delivery, frame.assign(line=np.arange(1, len(frame) + 1)))


HEADS = {
    "cname": ("cname", "country", "country_name", "importer", "国家", "国家名称", "进口国"),
    "hs_3digit": ("hs_3digit", "hs3", "hs3_code", "hs3digit", "hs", "hs三位码", "hs3位编码"),
    "sigma": ("sigma", "elasticity", "sigma_hs3", "替代弹性", "弹性"),
}


def is_elasticities_table(raw: RawFile) -> bool:
    return has_aliased(raw, HEADS, COLUMNS)


def read_elasticities_table(raw: RawFile, delivery: Delivery) -> None:
    table = read_aliased(raw, delivery, HEADS, COLUMNS)
    _deliver(delivery, table.rows, table.broken)


def _deliver(delivery: Delivery, frame: pd.DataFrame, broken: pd.DataFrame | None = None) -> None:
    """Check rows of `line`, cname, hs_3digit and sigma."""
    delivery.read_n = len(frame) + (0 if broken is None else len(broken))
    with np.errstate(
        invalid="ignore"
    ):  # a damaged missing value: it becomes no number, and is judged as such
        number, sigma = (
            pd.to_numeric(frame[name], errors="coerce").astype("float64") for name in COLUMNS[1:]
        )
    rows = pd.DataFrame(
        {
            "line": frame["line"],
            "country_name": frame["cname"].astype("string").str.strip().fillna(""),
            "hs3": [
                f"{int(code):03d}" if np.isfinite(code) and code == int(code) else ""
                for code in number
            ],
            "sigma": sigma,
        }
    )
    found = (
        rows["country_name"]
        + ", hs_3digit "
        + frame["hs_3digit"].astype("string").fillna("missing")
        + ", sigma "
        + sigma.astype("string").fillna("missing")
    )
    good, aside = sort_out(
        rows,
        [
            Check("missing_partner", rows["country_name"] == "", found),
            Check("bad_hs_code", ~matches(rows["hs3"], HS3), found),
            Check("bad_number", ~pd.Series(np.isfinite(sigma)), found),
            Check("negative_value", sigma <= 0, found),
            Check("duplicate_key", rows.duplicated(["country_name", "hs3"]), found),
        ],
    )
    delivery.accept(TABLE, good)
    delivery.put_aside(TABLE, aside if broken is None else pd.concat([broken, aside]))
