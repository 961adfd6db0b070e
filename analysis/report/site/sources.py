"""The pages of sources: what was read of each file, what was set aside and why, what nobody reads,
and where editions of one number disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from analysis.report.site import charts
from analysis.report.site.data import DataFolder
from analysis.report.site.facts import Facts, Rows
from analysis.report.site.pages import Page

ROWS_AT_MOST = 1_000  # of one table on a page: more is told, and asked for with SQL
ASIDE_SHOWN = 20
DISAGREE = 0.001  # a relative difference; rounding to the units that are printed stays below it
SPOTLIGHT = ("3100", "gdp_cny", "city")
EDITIONS = "intermediate.int_city__indicator_vintages"
CELL = "city_code, scope, indicator, year"
# Numbers that several editions print, and how far these are apart.
PAIRS = (
    f"select {CELL}, max(value) / min(value) - 1 as difference from {EDITIONS} where value > 0"
    f" group by {CELL} having min(vintage) < max(vintage)"
)
APART = f"difference > {DISAGREE}"
WORST = "order by difference desc, city_code, indicator, scope, year"


def source_pages(facts: Facts, data: DataFolder) -> Iterator[Page]:
    """The list of sources, a page each, and the page of editions."""
    editions = _editions(facts, data)
    yield Page(
        "sources.html", "sources.html", "Sources", "sources.html",
        {"sources": facts.sources, "disagreeing": editions["disagreeing_n"],
         "fates": facts.rows("select fate, sum(records_n)::bigint as records_n, sum(value_usd) as"
                             " value_usd from meta.customs_fates group by all order by 2 desc")},
    )  # fmt: skip
    for source in facts.sources:
        yield Page(
            f"sources/{source['source']}.html", "source.html", source["source"], "sources.html",
            _source(facts, source),
        )  # fmt: skip
    yield Page("editions.html", "editions.html", "Editions", "sources.html", editions)


def _source(facts: Facts, source: dict[str, Any]) -> dict[str, Any]:
    name = [source["source"]]
    unread = facts.rows(
        "select file_name, sheet, head, reason from meta.columns where source = ? and indicator is"
        " null order by all",
        name,
    )
    return {
        "source": source,
        "panels": [row["name"] for row in facts.panels if source["source"] in row["sources"]],
        "loads": facts.rows("from meta.loads where source = ? order by file_name", name),
        "aside": facts.rows(
            "from meta.set_aside_counts where source = ? order by rows_n desc, reason", name
        ),
        "aside_rows": facts.rows(
            "select f.file_name, s.line, s.reason, s.detail from meta.set_aside s left join"
            " meta.files f using (file_id) where s.source = ? qualify row_number() over (partition"
            " by s.reason order by f.file_name, s.line) <= 3 order by all limit ?",
            [*name, ASIDE_SHOWN],
        ),
        "unread": unread[:ROWS_AT_MOST],
        "unread_n": len(unread),
        "read": facts.rows(
            "select indicator, count(distinct load_id) as files_n, list(distinct head order by"
            " head)[:6] as heads from meta.columns where source = ? and indicator is not null"
            " group by all order by all",
            name,
        ),
    }


def _editions(facts: Facts, data: DataFolder) -> dict[str, Any]:
    """Cells that several editions print, those that differ most first; and one city's number in all
    its editions.
    """
    nothing: dict[str, Any] = {
        "disagreeing": [], "disagreeing_n": 0, "compared_n": 0, "by_indicator": [],
        "spotlight": None, "left_out": [], "threshold": DISAGREE, "shown": ROWS_AT_MOST,
    }  # fmt: skip
    if not facts.has("intermediate", "int_city__indicator_vintages"):
        return nothing
    by_indicator = facts.rows(
        f"select indicator, scope, count(*) as compared_n, count_if({APART}) as apart_n,"
        f" max(difference) as largest from ({PAIRS}) group by all"
        " order by apart_n desc, indicator, scope"
    )
    worst = facts.rows(_printed(f"from ({PAIRS}) where {APART} {WORST} limit {ROWS_AT_MOST}"))
    return nothing | {
        "compared_n": sum(row["compared_n"] for row in by_indicator),
        "disagreeing_n": sum(row["apart_n"] for row in by_indicator),
        "disagreeing": worst,
        "by_indicator": by_indicator,
        "spotlight": _spotlight(facts, data, worst),
        "left_out": facts.rows(
            "select indicator, vintage, problem, count(*) as n from"
            " intermediate.int_city__values_left_out group by all"
            " order by n desc, indicator, vintage, problem limit 200"
        ),
    }


def _printed(cells: str) -> str:
    """The query of cells with what each edition prints beside; only of those, since lists of all
    would take most of the time that the whole page does.
    """
    return (
        "select c.*, list({edition: e.vintage, value: e.value, chosen: e.is_chosen}"
        f" order by e.vintage) as printed from ({cells}) c join {EDITIONS} e using ({CELL})"
        f" where e.value > 0 group by all {WORST}"
    )


def _spotlight(facts: Facts, data: DataFolder, worst: Rows) -> dict[str, Any] | None:
    """Shanghai's GDP in every edition by year; where it is printed once only, the number that
    differs most.
    """
    place = list(SPOTLIGHT)
    query = _printed(f"from ({PAIRS}) where city_code = ? and indicator = ? and scope = ?")
    years = facts.rows(query, place)
    if not years:
        if not worst:
            return None
        place = [worst[0]["city_code"], worst[0]["indicator"], worst[0]["scope"]]
        years = facts.rows(query, place)
    years.sort(key=lambda row: row["year"])
    names = sorted({one["edition"] for row in years for one in row["printed"]})
    rows: Rows = []
    for row in years:
        by_edition = {one["edition"]: one for one in row["printed"]}
        rows.append(
            {"year": row["year"], "difference": row["difference"],
             "cells": [by_edition.get(name) for name in names]}
        )  # fmt: skip
    drawn: dict[str, list[Any]] = {"edition": [], "year": [], "value": []}
    for row in years:
        for one in row["printed"]:
            drawn["edition"].append(one["edition"])
            drawn["year"].append(row["year"])
            drawn["value"].append(one["value"])
    file = data.put("editions_spotlight", drawn)
    chart = {"id": "editions_spotlight", "specification": charts.editions(), "file": file}
    return {"city_code": place[0], "indicator": place[1], "scope": place[2], "editions": names,
            "rows": rows, "chart": chart}  # fmt: skip
