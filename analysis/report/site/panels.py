"""The pages of panels: what each is, how full it is, its columns, its first rows, its files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.report.site import charts
from analysis.report.site.data import DataFolder, columns_of, rounded
from analysis.report.site.facts import Facts, Rows
from analysis.report.site.pages import Page
from warehouse.store import describe

Save = Callable[[pd.DataFrame, Path], Path]
FORMS = ("parquet", "csv", "dta", "xlsx")
HEAD = 10
PACKED_FROM = 400_000  # bytes; pandas, R and Stata's unzipfile open what is packed
FLAGS = ("_interpolated", "_extrapolated", "_filled")
# What a format may hold here, rows times columns: beyond it the file takes longer to write, or more
# room, than a page's visitor gains; the command beside it writes it.
CELLS_AT_MOST = {"parquet": 6_000_000, "csv": 1_000_000, "dta": 1_000_000, "xlsx": 1_000_000}


@dataclass(frozen=True)
class Download:
    """A panel's file in one format; `place` is "" where it is left to a command."""

    form: str
    place: str
    bytes: int
    command: str


def panel_pages(facts: Facts, folder: Path, data: DataFolder, save: Save) -> Iterator[Page]:
    """The list of panels, and a page each.

    Parameters
    ----------
    save : writes a panel into a file whose ending says the format; returns the file's name
    """
    listed = []
    for about in facts.panels:
        columns, shares = _columns(facts, about["name"]), _coverage(facts, about)
        filled = sum(row["non_null_share"] or 0 for row in columns) / max(len(columns), 1)
        listed.append({**about, "columns_n": len(columns), "filled": filled})
        yield Page(
            f"panels/{about['name']}.html", "panel.html", about["name"], "panels.html",
            {
                "about": about, "columns": columns, "chart": _chart(about, shares, data),
                "coverage_years": _by_year(shares), "head": _head(facts, about),
                "downloads": _downloads(facts, about, len(columns), folder, save),
                "sources": [row for row in facts.sources if row["source"] in about["sources"]],
                "filled_columns": _filled(facts, about["name"], columns),
            },
        )  # fmt: skip
    yield Page("panels.html", "panels.html", "Panels", "panels.html", {"panels": listed})


def _columns(facts: Facts, name: str) -> Rows:
    found = describe(name, facts.config, facts.release)
    return [
        {str(key): None if pd.isna(value) else value for key, value in row.items()}
        for row in found.to_dict("records")
    ]


def _coverage(facts: Facts, about: dict[str, Any]) -> Rows:
    """code, year (None where the panel has none), records, share of the columns that have a value,
    a row a city and year; none for a panel without cities.
    """
    if "city_code" not in about["keys"]:
        return []
    names = [row["column_name"] for row in facts.rows(f'describe main."{about["name"]}"')]
    wanted = [name for name in names if name not in about["keys"]]
    counted = " + ".join(f'count("{name}")' for name in wanted) or "0"
    year = "year::integer" if "year" in about["keys"] else "null::integer"
    return facts.rows(
        f"select city_code as code, {year} as year, count(*) as records, ({counted}) /"
        f" (count(*) * {max(len(wanted), 1)})::double as share from"
        f' main."{about["name"]}" group by all order by all'
    )


def _chart(about: dict[str, Any], shares: Rows, data: DataFolder) -> dict[str, Any] | None:
    if not shares:
        return None
    name = f"coverage_{about['name']}"
    rows = [{**row, "share": rounded(row["share"])} for row in shares]
    file = data.put(name, columns_of(rows, ("code", "year", "share", "records")))
    made = charts.coverage() if "year" in about["keys"] else charts.coverage_without_years()
    return {"id": name, "specification": made, "file": file}


def _by_year(shares: Rows) -> Rows:
    """What the heat map shows, for those who do not see it: cities, rows and share by year."""
    by_year: dict[int, Rows] = {}
    for row in shares:
        if row["year"] is not None:
            by_year.setdefault(row["year"], []).append(row)
    return [
        {
            "year": year,
            "cities": len(part),
            "records": sum(row["records"] for row in part),
            "share": sum(row["share"] * row["records"] for row in part)
            / sum(row["records"] for row in part),
        }
        for year, part in sorted(by_year.items())
    ]


def _head(facts: Facts, about: dict[str, Any]) -> Rows:
    keys = ", ".join(f'"{key}"' for key in about["keys"])
    return facts.rows(f'from main."{about["name"]}" order by {keys} limit {HEAD}')


def _filled(facts: Facts, name: str, columns: Rows) -> Rows:
    """Columns that say which values are not a publisher's: flags of what was interpolated,
    extrapolated or filled, and lists of such columns; with the rows that they mark.
    """
    found = []
    for row in columns:
        column = row["column_name"]
        if column.endswith(FLAGS) or column.startswith("interpolated_"):
            is_flag = row["dtype"] == "boolean"
            marked = f'"{column}"' if is_flag else f"coalesce(\"{column}\"::varchar, '') <> ''"
            count = facts.rows(f'select count_if({marked}) as n from main."{name}"')[0]["n"]
            found.append({"name": column, "rows": count})
    return found


def _downloads(
    facts: Facts, about: dict[str, Any], columns_n: int, folder: Path, save: Save
) -> list[Download]:
    """A file a format; simulated ones have it in their names. A panel that no format may hold is
    not even read.
    """
    name, cells = about["name"], about["rows"] * columns_n
    stem = f"{name}.simulated" if facts.is_simulated else name
    fits = [form for form in FORMS if cells <= CELLS_AT_MOST[form]]
    frame = facts.panel(name) if fits else None
    found = []
    (folder / "files").mkdir(exist_ok=True)
    for form in FORMS:
        command = f"citytrade panel {name} -o {name}.{form}"
        if frame is None or form not in fits:
            found.append(Download(form, "", 0, command))
        else:
            saved = packed(save(frame, folder / "files" / f"{stem}.{form}"))
            found.append(Download(form, f"files/{saved.name}", saved.stat().st_size, command))
    return found


def packed(file: Path) -> Path:
    """A large csv or .dta in a zip, a third as large; every other file as it is."""
    if file.suffix not in (".csv", ".dta") or file.stat().st_size < PACKED_FROM:
        return file
    zipped = file.with_name(f"{file.name}.zip")
    entry = zipfile.ZipInfo(file.name)  # without the moment, so that it is the same each time
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)
    file.unlink()
    return zipped
