"""From melted cells to the lake: every cell is checked, and those that fail are set aside, each
with its reason.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from warehouse.dictionary.places import (
    city_name,
    city_names,
    province_names,
    unknown_name_detail,
)
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery
from warehouse.sources.reading.setting_aside import Check, sort_out
from warehouse.sources.yearbook import printed
from warehouse.sources.yearbook.cells import is_aggregate, to_number
from warehouse.sources.yearbook.headers import UNITS

TABLE, PROVINCES = "yearbook__indicators", "yearbook__provinces"
EDITIONS = {"yearbook_sheet", "digitised_yearbook"}  # layouts whose tables are one edition's each
FIRST_YEAR, LAST_YEAR = 1949, 2100
LARGEST = 1e18  # in base units: ten thousand times what the whole nation earns in a year, in yuan
MUNICIPALITIES = {"11", "12", "31", "50"}
NEVER_ZERO = {
    "gdp_cny", "gdp_cny_2000_published", "gdp_index_pct", "gdp_deflator_2000",
    "population_registered_n", "population_resident_n",
    "area_km2", "deposits_cny", "loans_cny", "household_savings_cny", "urban_disposable_income_cny",
    "employees_n", "co2_t",
}  # fmt: skip


def deliver(delivery: Delivery, cells: pd.DataFrame, vintage: str) -> None:
    """Check every cell, accept the good ones in base units and set the others aside, each with its
    first reason.

    A cell that holds no finite number is a bad_number, one whose value is beyond LARGEST in base
    units out_of_range.
    """
    cells = printed.judged(cells, vintage in EDITIONS) if len(cells) else cells
    good, aside = _sorted_out(delivery, cells, _city_checks(cells))
    names = [
        "line",
        "city_name",
        "city_code_published",
        "scope",
        "indicator",
        "year",
        "value",
        "is_interpolated",
        "header",
    ]
    delivery.accept(
        TABLE,
        good[names]
        .sort_values(["line", "indicator", "scope"], kind="stable")
        .assign(vintage=vintage),
    )
    delivery.put_aside(TABLE, aside)


def deliver_provinces(delivery: Delivery, cells: pd.DataFrame, vintage: str) -> None:
    """The same for cells of provinces, whose names stand in `city_name`; short names are
    accepted.
    """
    good, aside = _sorted_out(delivery, cells.assign(doubt=""), [_unknown_province(cells)])
    names = ["line", "province_name", "indicator", "year", "value", "header"]
    good = good.rename(columns={"city_name": "province_name"})[names]
    delivery.accept(
        PROVINCES,
        good.sort_values(["line", "indicator", "year"], kind="stable").assign(vintage=vintage),
    )
    delivery.put_aside(PROVINCES, aside)


def _sorted_out(
    delivery: Delivery, cells: pd.DataFrame, place_checks: list[Check]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Good cells with `year` and `value` as numbers, and those set aside."""
    if cells.empty:
        raise SourceError(
            delivery.raw.name,
            "",
            "has heads and no values under them",
            "Fetch the file again from its publisher",
        )
    named = cells[["header", "indicator", "factor"]].drop_duplicates()
    for header, indicator, factor in named.itertuples(index=False):
        delivery.factors[str(header), str(indicator)] = float(factor)
    year = pd.Series([to_year(cell) for cell in cells["year"]], index=cells.index, dtype=float)
    pairs = zip(cells["cell"], cells["factor"], strict=True)
    number = pd.Series([_number(*pair) for pair in pairs], index=cells.index, dtype=float)
    good_year = year.between(FIRST_YEAR, LAST_YEAR) & (year % 1 == 0)
    typed = cells.assign(
        year=year.where(good_year).astype("Int64"), value=in_base_unit(number, cells["factor"])
    )
    good, aside = sort_out(typed, [*place_checks, *_cell_checks(cells, number, ~good_year)])
    good, again = sort_out(good, [_duplicate_check(good)])
    return good, pd.concat([aside, again], ignore_index=True)


def _number(cell: object, factor: float) -> float:
    """A cell's number; under a unit of per cent the sign may stand in the cell too (45.3%)."""
    is_share = factor == UNITS["%"][1] and isinstance(cell, str)
    return to_number(cell.strip().rstrip("%％") if is_share and isinstance(cell, str) else cell)


def to_year(cell: object) -> float:
    """A year as a number; 2010年 and a day in that year are one too."""
    if isinstance(cell, datetime.date):
        return float(cell.year)  # a Stata date, or a spreadsheet cell in a format of dates
    return to_number(cell.strip().removesuffix("年") if isinstance(cell, str) else cell)


def in_base_unit(number: pd.Series, factor: pd.Series) -> pd.Series:
    """number x factor, rounded to 15 digits: 184.08 万人 and 1840800 人 become the same number, as
    printed numbers they are.
    """
    product = (number * factor).to_numpy(dtype=float, copy=True)
    changed = np.flatnonzero((factor.to_numpy(dtype=float) != 1) & np.isfinite(product))
    product[changed] = [float(f"{value:.15g}") for value in product[changed]]
    return pd.Series(product, index=number.index)


def _check(cells: pd.DataFrame, reason: str, failed: pd.Series, say: Callable[[Any], str]) -> Check:
    """A demand on cells; what stood there is put into words only for cells that fail."""
    found = pd.Series(None, index=cells.index, dtype=object)
    found[failed] = [say(cell) for cell in cells[failed].itertuples()]
    return Check(reason, failed, found)


def _city_checks(cells: pd.DataFrame) -> list[Check]:
    name, code = cells["city_name"], cells["city_code_published"].astype(object)
    return [
        _check(cells, "missing_city", name == "", _said),
        _check(
            cells,
            "bad_code",
            code.notna() & ~code.astype(str).str.fullmatch("[0-9]{4}|[0-9]{6}"),
            lambda cell: (
                f"{cell.city_name}: code {cell.city_code_published}, 4 or 6 digits expected"
            ),
        ),
        _check(
            cells,
            "not_a_prefecture_city",
            _not_a_city(name, code),
            lambda cell: f"{cell.city_name} {cell.city_code_published or ''}".strip(),
        ),
        _check(
            cells,
            "unknown_city",
            ~name.isin(city_names()),
            lambda cell: unknown_name_detail(cell.city_name),
        ),
    ]


def _unknown_province(cells: pd.DataFrame) -> Check:
    short = {full[: 3 if full.startswith(("内蒙古", "黑龙江")) else 2] for full in province_names()}
    known = cells["city_name"].isin({*province_names(), *short})
    return _check(
        cells, "unknown_province", ~known, lambda cell: f"{cell.city_name}: matches no province"
    )


def _cell_checks(cells: pd.DataFrame, number: pd.Series, bad_year: pd.Series) -> list[Check]:
    """What is demanded of a cell wherever it is from, first demand first."""
    return [
        _check(cells, "bad_year", bad_year, lambda cell: f"{cell.city_name}: year {cell.year!r}"),
        _check(
            cells,
            "bad_unit",
            cells["factor"].isna(),
            lambda cell: f"{cell.city_name} {cell.header}: the row's unit is not known",
        ),
        _check(
            cells,
            "doubtful_unit",
            cells["doubt"] != "",
            lambda cell: f"{_said(cell)}; {cell.doubt}",
        ),
        _check(cells, "bad_number", number.isna(), _said),
        _check(cells, "out_of_range", (number * cells["factor"]).abs() > LARGEST, _said),
        _check(cells, "zero_value", (number == 0) & cells["indicator"].isin(NEVER_ZERO), _said),
        _check(cells, "negative_value", number < 0, _said),
    ]


def _duplicate_check(good: pd.DataFrame) -> Check:
    """Of several cells of one city, scope, indicator and year the first is kept; the same value
    twice is a duplicate too.
    """
    groups = good.groupby(
        [good["city_name"].str.removesuffix("市"), "scope", "indicator", "year"], sort=False
    )
    later = groups.cumcount() > 0
    found = pd.Series(None, index=good.index, dtype=object)
    if later.any():
        firsts = good.assign(
            first_value=groups["value"].transform("first"),
            first_line=groups["line"].transform("first"),
        )[later]
        found[later] = [
            f"{cell.city_name} {cell.indicator} {cell.year}: {cell.value:.15g} here,"
            f" {cell.first_value:.15g} in line {cell.first_line}"
            for cell in firsts.itertuples()
        ]
    return Check("duplicate_key", later, found)


def _not_a_city(name: pd.Series, code: pd.Series) -> pd.Series:
    """Provinces and the nation, by name or code, and counties, by a code of six digits that does
    not end in 00: under a name that no city has, or under that of the city which the code is in.
    """
    text = code.astype(str)
    six = code.notna() & text.str.fullmatch(r"\d{6}")
    province = six & text.str.endswith("0000") & ~text.str[:2].isin(MUNICIPALITIES)
    inside = six & ~text.str.endswith("00")
    of_city = text.where(inside, "").str[:4].map(city_name).str.removesuffix("市")
    county = inside & (~name.isin(city_names()) | (of_city == name.str.removesuffix("市")))
    return province | county | name.isin([known for known in name.unique() if is_aggregate(known)])


def _said(cell: Any) -> str:
    where = f"{cell.place}, " if cell.place else ""
    return f"{where}{cell.city_name} {cell.header}: {cell.cell!r}"
