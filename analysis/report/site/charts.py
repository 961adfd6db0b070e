"""Charts as Vega-Lite specifications, checked by Altair as they are made.

Their rows come at reading time from `data/*.js` under the name "rows", so that the pages of both
languages share them.
"""

from __future__ import annotations

from typing import Any

import altair as alt

ROWS = alt.NamedData("rows")
TALL_ROW = 5  # pixels of a city in a heat map of many cities
NO_DATA = "#8884"


def coverage() -> dict[str, Any]:
    """A heat map of the share of a panel's columns that have a value, by city and year.

    Rows: city, province, code, year, share (0-1), records.
    """
    hover = [
        alt.Tooltip("city:N"), alt.Tooltip("province:N"), alt.Tooltip("year:O"),
        alt.Tooltip("share:Q", format=".1%"), alt.Tooltip("records:Q", format=","),
    ]  # fmt: skip
    chart = (
        alt.Chart(ROWS, width="container", height=alt.Step(TALL_ROW))
        .mark_rect()
        .encode(
            x=alt.X("year:O", title=None, axis=alt.Axis(orient="top", labelAngle=-90)),
            y=alt.Y("code:O", title=None, axis=None, sort="ascending"),
            color=alt.Color(
                "share:Q", title=None, scale=alt.Scale(domain=[0, 1], scheme="viridis"),
                legend=alt.Legend(format=".0%", orient="top", gradientLength=160),
            ),
            tooltip=hover,
        )
    )  # fmt: skip
    return _specification(chart)


def coverage_without_years() -> dict[str, Any]:
    """The same for a panel of one row a city: a bar a city."""
    chart = (
        alt.Chart(ROWS, width="container", height=alt.Step(TALL_ROW))
        .mark_bar()
        .encode(
            x=alt.X("share:Q", title=None, axis=alt.Axis(format=".0%", orient="top"),
                    scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("code:O", title=None, axis=None, sort="ascending"),
            tooltip=[alt.Tooltip("city:N"), alt.Tooltip("share:Q", format=".1%")],
        )
    )  # fmt: skip
    return _specification(chart)


def cities_map() -> dict[str, Any]:
    """Points at the seats of cities, coloured by a value; a city without one is hollow.

    Rows: city, province, code, longitude, latitude, value.
    """
    place = {"longitude": "longitude:Q", "latitude": "latitude:Q"}
    hover = [
        alt.Tooltip("city:N"), alt.Tooltip("province:N"), alt.Tooltip("value:Q", format=",.6g"),
    ]  # fmt: skip
    base = alt.Chart(ROWS).encode(**place, tooltip=hover)
    without = (
        base.transform_filter("datum.value === null")
        .mark_point(shape="circle", size=26, strokeWidth=1)
        .encode(color=alt.value(NO_DATA))
    )
    points = (
        base.transform_filter("datum.value !== null")
        .mark_circle(size=64, opacity=0.9, stroke="#0006", strokeWidth=0.5)
        .encode(
            color=alt.Color(
                "value:Q", title=None, scale=alt.Scale(scheme="viridis"),
                legend=alt.Legend(orient="top", gradientLength=220, format=".2~s", tickCount=4,
                                  labelOverlap="greedy", labelSeparation=8),
            ),
            size=alt.condition("datum.chosen", alt.value(220), alt.value(64)),
        )
    )  # fmt: skip
    graticule = alt.Chart(alt.graticule(extent=[[72, 17], [136, 54]], step=[10, 10]))
    lines = graticule.mark_geoshape(filled=False, stroke="#8886", strokeWidth=0.5)
    drawn = alt.layer(lines, without, points).properties(width="container", height=430)
    return _specification(drawn.project(type="mercator"))


def lines() -> dict[str, Any]:
    """A column by year, a line a city; filled values are hollow points.

    Rows: city, code, year, value, filled.
    """
    base = alt.Chart(ROWS).encode(
        x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=-45)),
        y=alt.Y("value:Q", title=None, axis=alt.Axis(format="~s"), scale=alt.Scale(zero=False)),
        color=alt.Color("city:N", title=None, legend=alt.Legend(orient="top", columns=4)),
        tooltip=[alt.Tooltip("city:N"), alt.Tooltip("year:O"),
                 alt.Tooltip("value:Q", format=",.6g"), alt.Tooltip("filled:N")],
    )  # fmt: skip
    line = base.mark_line(invalid="break-paths-show-domains")
    printed = base.transform_filter("!datum.filled").mark_circle(size=36, opacity=1)
    filled = base.transform_filter("datum.filled").mark_point(size=90, strokeWidth=2, opacity=1)
    return _specification(
        alt.layer(line, printed, filled).properties(width="container", height=320)
    )


def editions() -> dict[str, Any]:
    """What editions print for one city and indicator, a line an edition.

    Rows: edition, year, value, chosen.
    """
    chart = (
        alt.Chart(ROWS, width="container", height=280)
        .mark_line(point=True)
        .encode(
            x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=-45)),
            y=alt.Y("value:Q", title=None, axis=alt.Axis(format="~s"),
                    scale=alt.Scale(zero=False)),
            color=alt.Color("edition:N", title=None, legend=alt.Legend(orient="top", columns=2)),
            strokeDash=alt.StrokeDash("edition:N"),
            tooltip=[alt.Tooltip("edition:N"), alt.Tooltip("year:O"),
                     alt.Tooltip("value:Q", format=",.8g")],
        )
    )  # fmt: skip
    return _specification(chart)


def _specification(chart: Any) -> dict[str, Any]:
    """The chart as a plain mapping, without Altair's own look."""
    found: dict[str, Any] = chart.to_dict(validate=True)
    found.pop("config", None)
    found.pop("$schema", None)
    found.pop("datasets", None)
    return found
