"""The explorer: any column of `city_year` on a map and by year, each in a file of its own."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.report.site import charts
from analysis.report.site.data import DataFolder, rounded
from analysis.report.site.facts import Facts
from analysis.report.site.pages import Page

PANEL = "city_year"
SHOWN_FIRST = ("export_value_usd", "gdp_cny", "hs6_n")
LINES_FIRST = ("3100", "1100", "4403")


def explorer_page(facts: Facts, data: DataFolder) -> Page:
    """The page; without a panel city_year, or without positions of cities, it says so."""
    if PANEL not in [row["name"] for row in facts.panels] or not facts.cities:
        return Page(
            "explorer.html", "explorer.html", "Explorer", "explorer.html", {"explorer": None}
        )
    years, columns, latest = _put_columns(facts, data)
    data.put(f"{PANEL}_filled", _filled(facts))
    # The first to be shown is one that has values: without customs there are no exports.
    there = [*latest, *(row["column_name"] for row in columns)]
    first = next((name for name in SHOWN_FIRST if name in latest), there[0] if there else "")
    codes = [row["city_code"] for row in facts.cities]
    return Page(
        "explorer.html", "explorer.html", "Explorer", "explorer.html",
        {
            "explorer": {
                "panel": PANEL, "years": years, "columns": columns, "first": first,
                "year_at": latest.get(first, len(years) - 1),
                "lines": [code for code in LINES_FIRST if code in codes] or codes[:3],
                "map": charts.cities_map(), "line": charts.lines(), "cities": facts.cities,
            }
        },
    )  # fmt: skip


ABOUT = ("unit", "label_en", "label_zh", "definition", "definition_zh")


def _put_columns(
    facts: Facts, data: DataFolder
) -> tuple[list[int], list[dict[str, Any]], dict[str, int]]:
    """A file for each column of numbers; the years, what is said of the columns, and of those with
    values the place of the last year that has one.
    """
    frame = facts.panel(PANEL)
    # Taken off: pandas copies all that is told of all columns with every column that is taken out.
    told, frame.attrs = frame.attrs["columns"], {}
    codes = [row["city_code"] for row in facts.cities]
    years = sorted(int(year) for year in frame["year"].unique())
    columns: list[dict[str, Any]] = []
    latest: dict[str, int] = {}
    for name in frame.columns:
        values = _numbers(frame[name])
        if name in ("city_code", "year") or values is None:
            continue
        table = values.to_frame("value").assign(code=frame["city_code"], year=frame["year"])
        grid = table.pivot(index="code", columns="year", values="value").reindex(codes)[years]
        data.put(f"{PANEL}_{name}", [[rounded(v) for v in row] for row in grid.to_numpy().tolist()])
        seen = grid.notna().any().to_numpy()
        if seen.any():
            latest[name] = int(seen.nonzero()[0].max())
        about = told.get(name, {})
        columns.append({"column_name": name, **{k: about.get(k) or "" for k in ABOUT}})
    return years, columns, latest


def put_cities(facts: Facts, data: DataFolder) -> None:
    """Names and positions of cities, which every chart's rows are told by."""
    data.put(
        "cities",
        {
            row["city_code"]: {
                "en": [row["city_name_en"], row["province_name_en"]],
                "zh": [row["city_name_zh"], row["province_name_zh"]],
                "at": [row["longitude"], row["latitude"]],
            }
            for row in facts.cities
        },
    )


def _filled(facts: Facts) -> dict[str, dict[str, list[int]]]:
    """Years of values that are interpolated rather than printed, by column and city."""
    if not facts.has("intermediate", "int_city__indicator_vintages"):
        return {}
    rows = facts.rows(
        "select case when scope = 'district' then 'district_' || indicator else indicator end as"
        " name, city_code, list(year::integer order by year) as years from"
        " intermediate.int_city__indicator_vintages where is_chosen and is_interpolated"
        " group by all order by all"
    )
    found: dict[str, dict[str, list[int]]] = {}
    for row in rows:
        found.setdefault(row["name"], {})[row["city_code"]] = row["years"]
    return found


def _numbers(series: pd.Series[Any]) -> pd.Series[Any] | None:
    """A column as numbers, true as 1; None where it is text."""
    if pd.api.types.is_bool_dtype(series.dtype) or pd.api.types.is_numeric_dtype(series.dtype):
        return series.astype("Float64").astype("float64")
    return None
