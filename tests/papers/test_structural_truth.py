"""The structural equations of the simulated world: the simulator's own measures against those of a
release, the equations against the panels, and estimators against the truth.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.report.recovery import Estimate, compare_with_truth, release, worlds
from analysis.report.recovery import agglomeration_resilience as mixes
from analysis.report.recovery import ecommerce_resilience as zoned
from analysis.report.recovery.__main__ import main
from analysis.report.recovery.core import over_worlds
from analysis.report.recovery.worlds import panels_of
from tests.conftest import SEED
from warehouse import panel
from warehouse.errors import CitytradeError
from warehouse.settings.config import Config
from warehouse.simulate.model import employment, zones
from warehouse.simulate.model.city_headlines import city_headlines
from warehouse.simulate.model.economy import build_economy
from warehouse.simulate.model.geography import YEARS, cities
from warehouse.simulate.model.measured import (
    contiguity,
    diversity,
    entropy_scale,
    national_shares,
    period_resilience,
    shares,
    specialisation,
    within,
)
from warehouse.simulate.model.whole import Whole, whole_economy
from warehouse.simulate.world import streams

ER, PSS, PSD = mixes.ER, *mixes.MIXES.values()


@pytest.fixture(scope="module")
def whole() -> Whole:
    return whole_economy("small", streams(SEED))


@pytest.fixture(scope="module")
def drawn(whole: Whole) -> dict[str, pd.DataFrame]:
    return panels_of(whole)


def test_measures_by_hand() -> None:
    jobs = np.array([[[30.0, 10.0], [40.0, 20.0]], [[10.0, 50.0], [10.0, 60.0]]])
    share = shares(jobs)
    assert share[0, 0].tolist() == [0.75, 0.25]
    nation = national_shares(jobs)
    assert nation[0].tolist() == [0.4, 0.6]
    assert specialisation(share, nation)[:, 0].tolist() == pytest.approx(
        [0.75 / 0.4, (5 / 6) / 0.6]
    )
    assert diversity(share)[0, 0] == pytest.approx(0.75 * np.log(4 / 3) + 0.25 * np.log(4))
    # 40 of 100 became 60 of 130: the nation grew by 0.3, so 12 were expected and 20 came.
    assert period_resilience(jobs.sum(axis=-1))[0] == pytest.approx((20 - 12) / 12)
    scale = entropy_scale(
        {"a": np.array([[0.0, 1.0], [1.0, 0.0]]), "b": np.array([[0.0, 1.0], [0.0, 0.0]])}
    )
    assert scale.weight == pytest.approx({"a": 1 / 3, "b": 2 / 3})
    assert scale.index({"a": np.array([1.0]), "b": np.array([0.5])}).tolist() == pytest.approx(
        [2 / 3]
    )


def test_the_mix_equations_hold_in_what_is_measured(whole: Whole, drawn: dict[str, Any]) -> None:
    """What the equation of resilience leaves is an error of the size that it was drawn with."""
    frame = drawn[mixes.PANEL]
    settled: Any = whole.truth["employment"]
    assert settled["cities_n"] == len(frame)
    assert settled["cities_off_target_n"] <= 0.15 * len(frame)
    weights = contiguity(
        [c for c in whole.economy.cities if c.city_code in set(frame["city_code"])]
    )
    known = weights.sum(axis=1) > 0
    own = frame[ER] - employment.LAGS["w_resilience"] * (weights @ frame[ER])
    own = own - employment.SPECIALISATION * (
        frame[PSS] - employment.LAGS["w_specialisation"] * (weights @ frame[PSS])
    )
    for name, value in employment.RESILIENCE_CONTROLS.items():
        own = own - value * frame[name]
    assert (
        0.6 * employment.DEVIATIONS["resilience"]
        < own[known].std()
        < 1.6 * employment.DEVIATIONS["resilience"]
    )


def test_zones_do_what_they_are_said_to_do(whole: Whole, drawn: dict[str, Any]) -> None:
    frame = drawn[zoned.PANEL]
    shape = (frame["city_code"].nunique(), frame["year"].nunique())
    left = frame[zoned.OUTCOME] - frame["effect"]
    for name, value in zones.CONTROLS.items():
        left = left - value * frame[name]
    by_way = (zones.DIGITAL, zones.INNOVATION, zones.EMPLOYMENT)
    for (name, value), size, column in zip(
        zones.ON_RESILIENCE.items(), by_way, zoned.MEDIATORS.values(), strict=True
    ):
        left = left - value * (frame[column] - size * frame[zoned.ZONE]), name
        left = left[0]
    rest = within(left.to_numpy().reshape(shape))
    assert rest.std() == pytest.approx(0.9 * zones.DEVIATIONS["resilience"], rel=0.25)
    digital = within(frame["digital_level_scaled_index"].to_numpy().reshape(shape))
    zone = within(frame[zoned.ZONE].to_numpy().reshape(shape))
    assert (digital - zones.DIGITAL * zone).std() < 1.2 * zones.DEVIATIONS["digital"]
    assert frame["digital_level_scaled_index"].agg(["min", "max"]).tolist() == [0.0, 1.0]


def test_the_size_groups_are_the_papers() -> None:
    economy = build_economy(cities("paper"), np.random.default_rng(1))
    sample = zones.ecommerce_sample(economy)
    zones.size_districts(economy, sample)
    district = economy.district
    residents = district["population_resident_n"][sample, zones.PERIOD].mean(axis=1)
    assert ((residents >= 1e6).sum(), (residents < 1e6).sum()) == (93, 155)
    assert (district["population_nonagricultural_n"] < district["population_registered_n"]).all()


def test_in_a_null_world_nothing_acts() -> None:
    null = whole_economy("small", streams(SEED), null=True)
    truth = city_headlines(null, null=True)
    zero = {
        name: headline["value"]
        for found in truth.values()
        for name, headline in found.items()
        if isinstance(headline["value"], float)
    }
    own_lags = {
        "t2_w_" + ER + "_on_" + ER,
        "t2_w_" + PSS + "_on_" + PSS,
        "t3_w_" + ER + "_on_" + ER,
        "t3_w_" + PSD + "_on_" + PSD,
    }
    assert {name for name, value in zero.items() if value} == own_lags
    assert len(zero) > 20


def test_effects_by_cohort_add_up_to_the_average(whole: Whole) -> None:
    truth = city_headlines(whole)["ecommerce_resilience"]
    sample = zones.ecommerce_sample(whole.economy)
    year = whole.economy.zone_year[sample]
    cells: Any = truth["f1_zone_by_cohort_and_year"]["value"]
    total, rows = 0.0, 0
    for cell, effect in cells.items():
        cohort, _, since = cell.partition("+")
        assert effect == pytest.approx(
            zones.COHORTS[int(cohort)]
            * (zones.FIRST_EFFECT + zones.LATER_EFFECT * min(int(since), zones.GROWS_UNTIL))
        )
        if (year == int(cohort)).sum() == 1:
            continue
        total, rows = (
            total + effect * (year == int(cohort)).sum(),
            rows + (year == int(cohort)).sum(),
        )
    assert truth["f1_zone_on_the_treated"]["value"] == pytest.approx(total / rows)
    assert max(YEARS) == 2021


def test_the_simulators_measures_are_the_warehouses(
    drawn: dict[str, Any], small_release: Config
) -> None:
    """Yearbooks round, and print nothing in some cells that models fill on a straight line."""
    for name, keys, columns in (
        (mixes.PANEL, ["city_code"], [ER, PSS, PSD, *mixes.ON_RESILIENCE, *mixes.ON_MIX]),
        (
            zoned.PANEL,
            ["city_code", "year"],
            [zoned.OUTCOME, zoned.ZONE, *zoned.CONTROLS, *zoned.MEDIATORS.values()],
        ),
    ):
        found = panel(name, config=small_release).set_index(keys).sort_index()
        mine = drawn[name].set_index(keys).sort_index()
        assert found.index.tolist() == mine.index.tolist()
        for column in columns:
            both = (
                pd.DataFrame({"ours": mine[column], "theirs": found[column]}).astype(float).dropna()
            )
            assert len(both) > 0.95 * len(mine), column
            assert both.corr().iloc[0, 1] > 0.999, column
            gap = (both["ours"] - both["theirs"]).abs()
            assert gap.median() <= 2e-3 * both["ours"].std() + 1e-12, column
    large = panel(zoned.PANEL, config=small_release)["is_large_city"]
    assert large.mean() == pytest.approx(drawn[zoned.PANEL]["is_large_city"].mean())


def test_a_release_holds_the_truth(small_release: Config) -> None:
    """Sixty cities say little: no estimate is far from the truth by its own error."""
    assert small_release.simulate is not None
    text = (small_release.simulate.directory / "truth.json").read_text(encoding="utf-8")
    headlines = json.loads(text)["headlines"]
    for slug in ("agglomeration_resilience", "ecommerce_resilience"):
        for headline in headlines[slug].values():
            assert set(headline) == {
                "value", "definition", "panel", "outcome", "term", "table", "columns"
            }  # fmt: skip
            assert headline["outcome"] in panel(headline["panel"], config=small_release)
    table = release.recovered(small_release, ("agglomeration_resilience", "ecommerce_resilience"))
    assert len(table) == 12 + 3 + 9 + 5
    assert table["ratio"].abs().max() < 4
    assert (table["ratio"].abs() < 2.5).mean() > 0.9


def test_an_unknown_paper_is_named(small_release: Config, capsys: Any) -> None:
    with pytest.raises(CitytradeError, match="No headlines of zones. There are: "):
        release.recovered(small_release, ("zones",))
    assert main(["zones", "--config", str(small_release.path)]) == 1
    assert "No headlines of zones" in capsys.readouterr().err


def test_worlds_that_a_folder_has_are_not_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """And none of another kind is taken for them."""
    drawn: list[tuple[object, ...]] = []

    def recovered(scale: str, seed: int, *of: object) -> pd.DataFrame:
        drawn.append((scale, seed, *of))
        found = {"paper": {"effect": Estimate(seed / 3, 0.1)}}
        truth = {"paper": {"effect": {"value": 1.0}}}
        return compare_with_truth(truth, found).assign(choice="recommended")

    monkeypatch.setattr(worlds, "recovered", recovered)
    told = []
    for n, further in (("2", []), ("3", []), ("3", []), ("1", ["--null"]), ("1", ["--beside"])):
        assert main(["--worlds", n, *further, "--folder", str(tmp_path / "kept")]) == 0
        told.append(capsys.readouterr().out)
    assert drawn == [
        *(("paper", seed, False, (), False) for seed in (1, 2, 3)),
        ("paper", 1, True, (), False),
        ("paper", 1, False, (), True),
    ]
    assert told[1] == told[2]
    assert main(["--worlds", "3"]) == 0
    assert capsys.readouterr().out == told[2]


def test_over_worlds_by_hand() -> None:
    truth = {"paper": {"effect": {"value": 1.0}, "cells": {"value": {"0": 2.0}}}}
    tables = [
        compare_with_truth(
            truth, {"paper": {"effect": Estimate(value, 0.5), "cells[0]": Estimate(2.0, 1.0)}}
        )
        for value in (0.0, 1.5)
    ]
    assert tables[0]["ratio"].tolist() == [-2.0, 0.0]
    both = over_worlds(tables).set_index("headline")
    assert both.loc["effect", "mean_error"] == pytest.approx(-0.25)
    assert both.loc["effect", "coverage"] == 0.5
    assert both.loc["effect", "rejections"] == 0.5
    assert both.loc["cells[0]", "truth"] == 2.0


def test_a_test_with_a_p_of_its_own_has_no_interval() -> None:
    truth = {"paper": {"effect": {"value": 0.0}}}
    tables = [
        compare_with_truth(truth, {"paper": {"effect": Estimate(9.0, math.nan, p)}})
        for p in (0.04, 0.06, 0.5)
    ]
    (row,) = over_worlds(tables).to_dict("records")
    assert row["rejections"] == pytest.approx(1 / 3)
    assert math.isnan(row["coverage"])


def test_the_default_seed_at_the_papers_size_recovers_what_is_printed() -> None:
    """What goes by way of a mediator is a product that no table prints."""
    table = worlds.recovered("paper", 1, slugs=worlds.CITY_PAPERS)
    printed = table[~table["headline"].str.endswith("indirect")]
    assert len(printed) == 26
    far = printed[printed["ratio"].abs() > 2.5]
    assert far.empty, far.to_string()


@pytest.mark.slow
def test_twenty_worlds_have_no_bias_but_the_one_that_is_named() -> None:
    """docs/recovery.md: the lag of a mix on itself beside a spatial error."""
    table = over_worlds(
        [worlds.recovered("paper", seed, slugs=worlds.CITY_PAPERS) for seed in range(1, 21)]
    )
    named = table["headline"].isin([f"t2_w_{PSS}_on_{PSS}", f"t3_w_{PSD}_on_{PSD}"])
    assert (table.loc[~named, "bias_ratio"].abs() < 2.5).all(), table.to_string()
    assert (table["coverage"] >= 0.8).all()
    assert table["coverage"].mean() > 0.93


@pytest.mark.slow
def test_in_null_worlds_the_recommended_errors_reject_as_often_as_they_say() -> None:
    """And the spatial systems as printed far more often."""
    found = [
        worlds.recovered("paper", seed, null=True, slugs=worlds.CITY_PAPERS, beside=True)
        for seed in range(1001, 1041)
    ]
    table = over_worlds(found)
    table = table[(table["truth"] == 0) & ~table["headline"].str.endswith("indirect")]
    recommended = table[table["choice"] == "recommended"]["rejections"]
    assert recommended.mean() < 0.08
    assert recommended.max() < 0.2
    spatial = (table["choice"] == "as printed") & table["headline"].str.startswith(("t2", "t3"))
    assert table.loc[spatial, "rejections"].mean() > 0.25
