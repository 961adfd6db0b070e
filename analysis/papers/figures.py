"""The numbers of a paper's figures, before anybody draws them: a frame a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.papers.declared import Figure
from analysis.papers.estimate import run
from analysis.papers.published import PaperError, nearest
from analysis.papers.release import Release

OUTLIERS = 8  # named points of a scatter


@dataclass(frozen=True, eq=False)
class Drawn:
    """A figure ready to be drawn.

    Attributes
    ----------
    numbers : what is drawn, a row a point
    marks : single numbers that the drawing shows, such as the true estimate
    note : a sentence below
    reason : why there is nothing to draw; "" where there is
    """

    figure: Figure
    numbers: pd.DataFrame
    marks: Mapping[str, float]
    note: str
    reason: str = ""


def numbers_of(figure: Figure, release: Release) -> Drawn:
    """Estimate what a figure shows.

    Raises
    ------
    PaperError : a kind of figure that there is not; the nearest is named.
    """
    if figure.kind not in KINDS:
        known = nearest(figure.kind, KINDS)
        raise PaperError(f"figure {figure.name}: there is no kind {figure.kind!r}. {known}")
    if figure.estimation is None:
        if figure.reason:
            return Drawn(figure, pd.DataFrame(), {}, "", figure.reason)
        return Drawn(figure, *KINDS[figure.kind](None, figure, release), figure.note)
    estimate, result = run(release, figure.estimation)
    if result is None:
        return Drawn(figure, pd.DataFrame(), {}, "", estimate.reason)
    numbers, marks = KINDS[figure.kind](result, figure, release)
    said = [estimate.note, figure.note, *(f"Warning: {text}" for _, text in estimate.warnings)]
    return Drawn(figure, numbers, marks, " ".join(filter(None, said)))


Found = tuple[pd.DataFrame, dict[str, float]]


def _event_study(result: Any, figure: Figure, release: Release) -> Found:
    if hasattr(result, "estimates") and "event_time" in result.estimates:
        table = result.estimates[["event_time", "att", "lower", "upper"]]
        table = table.set_axis(["event_time", "estimate", "low", "high"], axis=1)
        return table.fillna({"low": 0.0, "high": 0.0}).sort_values("event_time"), {}
    tidy = result.tidy()
    times = pd.to_numeric(tidy["term"].str.extract(r"(-?\d+)$")[0], errors="coerce")
    table = pd.DataFrame(
        {
            "event_time": times,
            "estimate": tidy["estimate"],
            "low": tidy["conf_low"],
            "high": tidy["conf_high"],
        }
    )
    return table.dropna(subset=["event_time"]).sort_values("event_time"), {}


def _placebo(result: Any, figure: Figure, release: Release) -> Found:
    marks = {"estimate": float(result.coefficients.iloc[0]), "p": float(result.p_empirical)}
    return result.density(), marks | {"draws": float(len(result.draws))}


def _moran(result: Any, figure: Figure, release: Release) -> Found:
    """The scatter of z and its lag, with the names of the points that lie furthest out."""
    table = result.scatter.copy()
    unit = "city_code" if "city_code" in table.columns else table.columns[0]
    table = _named(table, table[unit].astype(str), table["z"].abs() + table["w_z"].abs(), release)
    whole = result.statistics.iloc[-1]
    return table, {"slope": float(whole["moran_i"]), "p": float(whole["p_permutation"])}


def _named(table: pd.DataFrame, codes: pd.Series, far: pd.Series, release: Release) -> pd.DataFrame:
    """The table with names (name, name_en) of the points that are furthest out, others empty."""
    cities = _cities(release)
    named = far.rank(ascending=False, method="first") <= OUTLIERS
    for column, source in (("name", "city_name_zh"), ("name_en", "city_name_en")):
        table[column] = codes.map(cities[source]).fillna(codes).where(named, "")
    return table


def _cities(release: Release) -> pd.DataFrame:
    with release.connection() as connection:
        rows = connection.execute(
            "select city_code, city_name_zh, city_name_en, longitude, latitude from seeds.cities"
        ).df()
    return rows.set_index("city_code")


def _map(result: Any, figure: Figure, release: Release) -> Found:
    """A value a city (of `values`, by city_code), where it lies, and the names of the extremes."""
    [(_, values)] = result.numbers.items()
    table = pd.DataFrame({"city_code": list(values), "value": list(values.values())})
    cities = _cities(release)
    for column in ("longitude", "latitude"):
        table[column] = table["city_code"].map(cities[column])
    table = table.dropna().reset_index(drop=True)
    far = (table["value"] - table["value"].median()).abs()
    return _named(table, table["city_code"], far, release), {"cities": float(len(table))}


def _coefficients(result: Any, figure: Figure, release: Release) -> Found:
    tidy = result.tidy()
    wanted = figure.draw.get("terms")
    kept = tidy if wanted is None else tidy[tidy["term"].isin(wanted)]
    names = {"conf_low": "low", "conf_high": "high"}
    return kept[["equation", "term", "estimate", "conf_low", "conf_high"]].rename(columns=names), {}


def _curves(result: Any, figure: Figure, release: Release) -> Found:
    """Pareto's law by tail index k: F(x) = 1 - (m / x)^k and f(x) = k m^k / x^(k + 1), x >= m."""
    least, tails = float(figure.draw.get("least", 1)), figure.draw.get("tail", [2, 3, 4])
    x = np.linspace(least, 4 * least, 121)
    parts = [
        pd.DataFrame(
            {
                "tail": float(k),
                "x": x,
                "distribution": 1 - (least / x) ** k,
                "density": k * least**k / x ** (k + 1),
            }
        )
        for k in tails
    ]
    return pd.concat(parts, ignore_index=True), {}


KINDS: dict[str, Callable[[Any, Figure, Release], Found]] = {
    "event_study": _event_study,
    "placebo": _placebo,
    "moran": _moran,
    "map": _map,
    "coefficients": _coefficients,
    "curves": _curves,
}
