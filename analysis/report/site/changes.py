"""The page of releases: what is on record, and what changed since the one before, by panel, column
and city.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.report.site.facts import Facts, Rows
from analysis.report.site.pages import Page
from warehouse.releases.diff import compare
from warehouse.releases.publish import DATABASE

ROWS_AT_MOST = 1_000


def releases_page(facts: Facts) -> Page:
    """Every release on record, and the changes from the former one where it is still on the
    disk.
    """
    previous = facts.manifest.previous
    folder = None if previous is None else facts.config.builds / previous
    is_there = folder is not None and (folder / DATABASE).is_file()
    found = compare(folder, facts.folder) if folder is not None and is_there else None
    listed = facts.rows(
        "select release, previous, created_at, is_simulated, is_this from meta.releases order by"
        " release desc"
    )
    changes = {"columns": [], "cities": []} if found is None else _summed(found)
    return Page(
        "releases.html", "releases.html", "Releases", "releases.html",
        {"releases": listed, "previous": previous, "compared": found is not None, **changes,
         "shown": ROWS_AT_MOST},
    )  # fmt: skip


def _summed(found: pd.DataFrame) -> dict[str, Any]:
    columns: Rows = []
    for (panel, change, column), part in found.groupby(
        ["panel", "change", "column_name"], dropna=False, sort=False
    ):
        years = part["year"].dropna()
        largest = part["largest_relative_change"].max()
        columns.append(
            {
                "panel": panel, "change": str(change).replace("_", " "),
                "column": column if isinstance(column, str) else "",
                "cells": int(part["cells_n"].sum()), "cities": int(part["city_code"].nunique()),
                "first_year": None if years.empty else int(years.min()),
                "last_year": None if years.empty else int(years.max()),
                "largest": None if pd.isna(largest) else float(largest),
            }
        )  # fmt: skip
    by_city = found.dropna(subset=["city_code"]).groupby(["panel", "city_code"])["cells_n"].sum()
    cities = by_city.reset_index().sort_values(["cells_n", "panel"], ascending=[False, True])
    return {
        "columns": columns[:ROWS_AT_MOST],
        "cities": cities.head(ROWS_AT_MOST).astype({"cells_n": int}).to_dict("records"),
        "columns_n": len(columns),
        "cities_n": len(cities),
    }
