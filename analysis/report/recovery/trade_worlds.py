"""Panels of the papers on trade straight from the simulator's arrays, without files or models.

They are the panels of a release of the same seed but for what yearbooks leave blank, which models
fill, and for what models estimate themselves (productivity, efficiency, quality):
`tests/papers/test_trade_truth.py` holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from warehouse.simulate.model.defects import draw_defects
from warehouse.simulate.model.exports import CENTRES, OUTCOMES
from warehouse.simulate.model.geography import SEEDS, YEARS, read_reference
from warehouse.simulate.model.growth import FIRST
from warehouse.simulate.model.headlines import Headlines, trade_headlines
from warehouse.simulate.model.plan import Equations, draw_plan
from warehouse.simulate.model.quality import cell_quality, index_slope
from warehouse.simulate.model.records import draw_records
from warehouse.simulate.model.trade import build_market
from warehouse.simulate.model.whole import Whole
from warehouse.simulate.world import RECORDS_N, RECORDS_PER_FIRM

Streams = Mapping[str, np.random.Generator]


def panels_of(
    whole: Whole, scale: str, random: Streams, null: bool, with_quality: bool
) -> tuple[dict[str, pd.DataFrame], Headlines]:
    """The panels that recovery reads, and their truth; with quality only if it is asked for, since
    that takes all records.
    """
    total = RECORDS_N[scale]
    plan, equations = draw_plan(whole, total, random, null)
    panels = {
        "panel_agglomeration_exports": exports_panel(whole, equations),
        "panel_digital_export_resilience": growth_panel(whole, equations),
    }
    slope = 0.0
    if with_quality:
        market = build_market(whole.trading, max(800, total // RECORDS_PER_FIRM), random["market"])
        bad = draw_defects(total, random["defects"]).bad
        records = draw_records(market, plan, bad, random["records"])
        slope = index_slope(market, records, bad, whole.virtual)
        keys, quality = cell_quality(market, records, bad)
        headings = np.array([code[:4] for code in market.nomenclature.codes])
        cells = pd.DataFrame({**keys, "quality": quality}).assign(
            city_code=np.array(market.firms.spine_code())[keys["firm"]],
            hs4_code=headings[keys["product"]],
            year=keys["t"] + YEARS[0],
        )
        panels["panel_virtual_agglomeration_quality"] = quality_panel(whole, cells)
    truth = trade_headlines(slope)
    if null:
        for own in truth.values():
            for entry in own.values():
                entry["value"] = 0.0
    return panels, truth


def exports_panel(whole: Whole, equations: Equations) -> pd.DataFrame:
    """Rows of panel_agglomeration_exports; core variables have their centres again."""
    exports, cities = equations.exports, whole.trading.cities
    columns = {**exports.outcomes, **exports.regressors}
    columns |= {name: columns[name] + centre for name, centre in CENTRES.items()}
    for name in OUTCOMES:
        columns[f"lagged_{name}"] = np.roll(exports.outcomes[name], 1, axis=1)
    named = [[bool(city.places[year]) for year in YEARS] for city in cities]
    columns["can"] = np.array(named)
    columns["could"] = np.roll(columns["can"], 1, axis=1)
    frame = _long([city.city_code for city in cities], YEARS, columns)
    early = [city.city_code for city in cities if city.since <= 2010]
    for name in OUTCOMES:
        frame[f"lagged_{name}"] = frame[f"lagged_{name}"].where(frame["could"].astype(bool))
    kept = frame["year"].between(2003, 2011) & frame["city_code"].isin(early)
    return frame[kept & frame["can"].astype(bool)].reset_index(drop=True)


def growth_panel(whole: Whole, equations: Equations) -> pd.DataFrame:
    """Rows of panel_digital_export_resilience: its outcome is the equation's, without the year's
    effect, which estimates take out.
    """
    growth, cities = equations.growth, whole.trading.cities
    columns = {"export_resilience_index": growth.resilience, **growth.regressors}
    frame = _long([city.city_code for city in cities], YEARS[FIRST:], columns)
    excluded = read_reference(SEEDS.parent / "judgments" / "digital_exclusions.csv")
    out = {row["city_code"] for row in excluded}
    late = {city.city_code for city in cities if city.since > 2008}
    return frame[~frame["city_code"].isin(out | late)].reset_index(drop=True)


def quality_panel(whole: Whole, cells: pd.DataFrame) -> pd.DataFrame:
    """Rows of panel_virtual_agglomeration_quality, the effects of products and markets as the
    simulator has them.

    cells : product, cents, quality, city_code, hs4_code, year
    """
    by_product = cells.groupby("product")["quality"]
    low, high = by_product.transform("min"), by_product.transform("max")
    keys = ["city_code", "hs4_code", "year"]
    scaled = cells.assign(value=cells["cents"] * (cells["quality"] - low) / (high - low))
    rows = scaled.groupby(keys, as_index=False)[["value", "cents"]].sum()
    virtual = _long(
        [city.city_code for city in whole.trading.cities],
        YEARS,
        {"virtual_agglomeration_index": whole.virtual},
    )
    rows["quality_index"] = rows["value"] / rows["cents"]
    return rows.merge(virtual, on=["city_code", "year"], how="left")


def _long(
    codes: list[str], years: tuple[int, ...], columns: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([codes, years], names=["city_code", "year"])
    flat = {name: values.ravel() for name, values in columns.items()}
    return pd.DataFrame(flat, index=index).reset_index()
