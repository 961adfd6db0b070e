"""What the simulator takes for the panels' variables is what the panels of trade have."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.report.recovery import papers, trade_worlds, worlds
from warehouse import connect
from warehouse.settings.config import Config
from warehouse.simulate.model.headlines import trade_headlines
from warehouse.simulate.model.whole import Whole, whole_economy
from warehouse.simulate.world import streams

SLUGS = ("agglomeration_exports", "digital_export_resilience", "virtual_agglomeration_quality")
KEYS = ["city_code", "year"]


@pytest.fixture(scope="module")
def truth(small_release: Config) -> dict[str, Any]:
    world = small_release.home.parent / "world"
    return json.loads((world / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def panels(small_release: Config) -> dict[str, pd.DataFrame]:
    names = [papers.PAPERS[slug].panels[0] for slug in SLUGS]
    with connect(small_release.path) as connection:
        return {name: connection.execute(f"select * from {name}").df() for name in names}


@pytest.fixture(scope="module")
def world(truth: dict[str, Any]) -> tuple[Whole, dict[str, pd.DataFrame]]:
    random = streams(truth["seed"])
    whole = whole_economy(truth["scale"], random)
    drawn, _ = trade_worlds.panels_of(whole, truth["scale"], random, null=False, with_quality=False)
    return whole, drawn


def joined(found: pd.DataFrame, drawn: pd.DataFrame, column: str) -> pd.DataFrame:
    """Both readings of a column, `found` and `drawn`, in the city-years that have both."""
    left, right = (frame[[*KEYS, column]].dropna() for frame in (found, drawn))
    both = left.merge(right, on=KEYS, suffixes=("_found", "_drawn"))
    return both.rename(columns={f"{column}_found": "found", f"{column}_drawn": "drawn"})


@pytest.mark.parametrize(
    ("column", "tolerance", "share"),
    [
        ("ln_export_value", 1e-6, 0.9),  # but for 2011, in which the whole city is planned too
        ("ln_hs6", 1e-9, 1.0),
        ("ln_destination", 1e-9, 1.0),
        ("ln_agglomeration", 1e-3, 0.95),  # printed in hundreds of people; blanks interpolated
        ("ln_growth_resilience", 1e-9, 0.95),
        ("ln_1p_students", 1e-3, 0.9),
        ("ln_1p_science_expenditure", 1e-3, 0.9),
        ("ln_1p_fdi", 1e-3, 0.9),
        ("development_zone_did", 1e-9, 1.0),
    ],
)
def test_variables_of_agglomeration_exports_are_the_panels(
    panels: dict[str, pd.DataFrame],
    world: tuple[Whole, dict[str, pd.DataFrame]],
    column: str,
    tolerance: float,
    share: float,
) -> None:
    name = "panel_agglomeration_exports"
    both = joined(panels[name], world[1][name], column)
    assert len(both) > 300
    assert (np.abs(both["found"] - both["drawn"]) <= tolerance).mean() >= share


def test_productivity_is_the_panels_but_for_estimated_elasticities(
    panels: dict[str, pd.DataFrame], world: tuple[Whole, dict[str, pd.DataFrame]]
) -> None:
    name = "panel_agglomeration_exports"
    both = joined(panels[name], world[1][name], "ln_productivity")
    within = both[["found", "drawn"]] - both.groupby("city_code")[["found", "drawn"]].transform(
        "mean"
    )
    assert within["found"].corr(within["drawn"]) > 0.9  # few firms an industry in a small world


def test_digital_economy_and_zones_are_the_panels(
    panels: dict[str, pd.DataFrame], world: tuple[Whole, dict[str, pd.DataFrame]]
) -> None:
    name = "panel_digital_export_resilience"
    index = joined(panels[name], world[1][name], "digital_economy_index")
    assert len(index) > 500
    assert index["found"].corr(index["drawn"]) > 0.995
    zones = joined(panels[name], world[1][name], "big_data_did")
    assert (zones["found"] == zones["drawn"]).all()


def test_export_resilience_is_the_equations_but_for_effects_of_years(
    panels: dict[str, pd.DataFrame], world: tuple[Whole, dict[str, pd.DataFrame]]
) -> None:
    name = "panel_digital_export_resilience"
    both = joined(panels[name], world[1][name], "export_resilience_index")
    gap = both["found"] - both["drawn"]
    gap = gap - gap.groupby(both["year"]).transform("median")
    assert (gap.abs() < 0.01).mean() > 0.95


def test_virtual_agglomeration_is_the_panels(
    panels: dict[str, pd.DataFrame], world: tuple[Whole, dict[str, pd.DataFrame]]
) -> None:
    column, name = "virtual_agglomeration_index", "panel_virtual_agglomeration_quality"
    whole = world[0]
    codes = [city.city_code for city in whole.trading.cities]
    index = pd.MultiIndex.from_product([codes, range(2000, 2022)], names=KEYS)
    drawn = pd.DataFrame({column: whole.virtual.ravel()}, index=index).reset_index()
    found = panels[name][[*KEYS, column]].drop_duplicates()
    both = joined(found, drawn, column)
    assert len(both) > 90
    np.testing.assert_allclose(both["found"], both["drawn"], rtol=5e-3)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_headline_says_what_it_is_and_is_estimated(
    truth: dict[str, Any], panels: dict[str, pd.DataFrame], slug: str
) -> None:
    headlines = truth["headlines"][slug]
    assert set(headlines) == set(trade_headlines(1.0)[slug])
    for entry in headlines.values():
        assert entry["definition"] and entry["panel"] in panels
        assert entry["outcome"] in panels[entry["panel"]]
    assert set(papers.PAPERS[slug].estimates(panels)) == set(headlines)


def test_the_default_seed_at_the_papers_size_is_recovered_from_arrays() -> None:
    """Each within 2.5 standard errors. docs/recovery.md names the one bias that a release adds."""
    table = worlds.recovered("paper", 1, slugs=SLUGS[:2])
    assert len(table) == 22
    far = table[table["ratio"].abs() > 2.5]
    assert far.empty, far.to_string()
