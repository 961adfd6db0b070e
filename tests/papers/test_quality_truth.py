"""Export quality against the quality that the simulated world drew for each firm, and the
pipeline's own rules against the world's truth.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from analysis.measures.quality import quality_of_cells
from warehouse import connect
from warehouse.settings.config import Config
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.plan import draw_plan
from warehouse.simulate.model.records import draw_records
from warehouse.simulate.model.trade import build_market
from warehouse.simulate.model.whole import whole_economy
from warehouse.simulate.world import streams

RECORDS_N = 300_000
FIRMS_N = 8000
FEWEST_CELLS = 60
# What no effect explains of a cell is about 1.06 / (sigma - 1): noise in demand, and the log of the
# number of records in cells of several. With 60 cells or more a firm that is averaged to about 0.1,
# against a deviation of quality of 0.5: 0.5 / sqrt(0.25 + 0.01) = 0.98. The rest is room for the
# product effects, which take part of a firm's quality with them where few firms sell a product
# (some 26 do here).
STRONG = 0.95


@pytest.fixture(scope="module")
def market_cells() -> tuple[Any, pd.DataFrame]:
    """A market and its cells of firm, product, destination and year, straight from the simulator's
    records.
    """
    random = streams(11)
    whole = whole_economy("small", random)
    market = build_market(whole.trading, FIRMS_N, random["market"])
    plan, _ = draw_plan(whole, RECORDS_N, random)
    records = draw_records(market, plan, np.zeros(RECORDS_N, dtype=bool), random["records"])
    good = ~records.is_import & np.isin(
        records.left_out, (-1, 4, 5, 6)
    )  # the place, partner and product are known
    codes = np.array([int(code) for code in market.nomenclature.codes])
    spine = np.array([int(code or 0) for code in market.firms.spine_code()])
    frame = pd.DataFrame(
        {
            "firm_id": records.firm[good], "city_id": spine[records.firm[good]],
            "hs6_id": codes[records.product[good]],
            "destination_id": records.partner[good], "year": records.year[good],
            "value_cents": records.cents[good], "quantity": records.quantity[good],
        }
    )  # fmt: skip
    keys = ["year", "hs6_id", "destination_id", "firm_id", "city_id"]
    query = (
        f"select {', '.join(keys)}, sum(value_cents)::bigint as value_cents, sum(quantity) as"
        f" quantity from frame group by all order by {', '.join(keys)}"
    )
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        cells = connection.execute(query).df()
    return market, cells.assign(
        drawn=market.firms.quality[cells["firm_id"]] + of_cities(market, plan.quality, cells),
        ordinary_cents=0,
        processing_cents=0,
        unit_value_usd=cells["value_cents"] / 100 / cells["quantity"],
    )


def of_cities(market: Any, quality: np.ndarray, cells: pd.DataFrame) -> np.ndarray:
    """What the city and year of each cell add to its quality; nothing outside the cities."""
    at = {int(city.city_code): place for place, city in enumerate(market.economy.cities)}
    place = cells["city_id"].map(at)
    known = place.notna().to_numpy()
    added = np.zeros(len(cells))
    added[known] = quality[place[known].astype(int), cells["year"][known] - YEARS[0]]
    return added


def products_of(market: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {"hs6_id": [int(code) for code in market.nomenclature.codes], "sigma": market.sigma}
    )


def provinces_of(cells: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    rows = [
        (f"{province}", year, float(np.exp(rng.normal(27, 1))))
        for province in sorted(set(cells["city_id"] // 100))
        for year in range(2000, 2022)
    ]
    return pd.DataFrame(rows, columns=["province_code", "year", "province_gdp_cny_2000"])


def test_quality_of_firms_is_found_again(market_cells: tuple[Any, pd.DataFrame]) -> None:
    market, cells = market_cells
    found = quality_of_cells(cells, products_of(market), provinces_of(cells), "published")
    keys = ["firm_id", "city_id", "hs6_id", "destination_id", "year"]
    found = found.merge(cells[[*keys, "drawn"]], on=keys, validate="1:1")
    known = found[found["ln_quality"].notna()].assign(
        weight=lambda part: (part["sigma"] - 1) ** 2
    )  # the inverse of the noise's variance
    parts = {
        name: (known["weight"] * known[name]).groupby(known["firm_id"]).sum()
        for name in ("ln_quality", "drawn")
    }
    often = known.groupby("firm_id").size() >= FEWEST_CELLS
    weight = known.groupby("firm_id")["weight"].sum()
    found_of, drawn_of = ((parts[name] / weight)[often] for name in ("ln_quality", "drawn"))
    assert len(found_of) > 500
    assert float(np.corrcoef(found_of, drawn_of)[0, 1]) > STRONG


def test_the_control_that_has_no_effect_has_none(market_cells: tuple[Any, pd.DataFrame]) -> None:
    """Real GDP of the province is no part of the simulated demand: quality must not lean on it."""
    market, cells = market_cells
    found = quality_of_cells(cells, products_of(market), provinces_of(cells), "published")
    assert abs(found["ln_quality"].corr(np.log(cells["value_cents"]))) < 0.9
    assert found["quality_index"].dropna().between(0, 1).all()


def test_without_noise_the_estimate_is_the_truth(market_cells: tuple[Any, pd.DataFrame]) -> None:
    """Quantities put exactly on the demand curve, with a quality of each cell that no effect
    explains: both come back, scaled too.
    """
    market, cells = market_cells
    part = (
        cells[cells["hs6_id"].isin(cells["hs6_id"].value_counts().index[:30])]
        .iloc[:3_000]
        .reset_index(drop=True)
    )
    products, provinces = products_of(market), provinces_of(part)
    sigma = part["hs6_id"].map(products.set_index("hs6_id")["sigma"]).to_numpy()
    ln_gdp = np.log(part.merge(provinces.assign(p=provinces["province_code"].astype(int)),
        left_on=[part["city_id"] // 100, "year"], right_on=["p", "year"])
                    ["province_gdp_cny_2000"].to_numpy())  # fmt: skip
    market_of = part["destination_id"].astype(str) + " " + part["year"].astype(str)
    explained = np.column_stack(
        [pd.get_dummies(part["hs6_id"]), pd.get_dummies(market_of), ln_gdp]
    ).astype(float)
    drawn = (sigma - 1) * market.firms.quality[part["firm_id"]] + np.random.default_rng(2).normal(
        size=len(part)
    )
    truth = (drawn - explained @ np.linalg.lstsq(explained, drawn, rcond=None)[0]) / (sigma - 1)
    ln_quantity = (
        9
        - sigma * np.log(part["unit_value_usd"])
        + part["hs6_id"] % 7
        + part["year"] % 5
        + 0.4 * ln_gdp
        + (sigma - 1) * truth
    )
    found = quality_of_cells(
        part.assign(quantity=np.exp(ln_quantity)), products, provinces, "published"
    )
    assert np.abs(found["ln_quality"] - truth).max() < 1e-9
    by = pd.Series(truth).groupby(part["hs6_id"])
    scaled = (truth - by.transform("min")) / (by.transform("max") - by.transform("min"))
    several = found["quality_index"].notna()
    assert several.sum() > 2_900
    assert np.abs(found["quality_index"] - scaled)[several].max() < 1e-9


@pytest.fixture(scope="module")
def truth(small_release: Config) -> dict[str, Any]:
    assert small_release.simulate is not None
    return json.loads(
        next(Path(small_release.simulate.directory).glob("*truth.json")).read_text(encoding="utf-8")
    )


def test_intermediaries_are_those_of_the_world(
    small_release: Config, truth: dict[str, Any]
) -> None:
    with connect(small_release.path) as connection:
        found = dict(
            connection.execute(
                "select firm_code, is_intermediary from intermediate.int_trade__firm"
            ).fetchall()
        )
    expected = {
        code: firm["is_intermediary"] for code, firm in truth["firms"].items() if code in found
    }
    assert len(found) > 500 and found == expected


def test_elasticities_are_those_of_the_world(small_release: Config, truth: dict[str, Any]) -> None:
    with connect(small_release.path) as connection:
        found = connection.execute(
            "select left(hs6_code, 3), sigma from "
            "intermediate.int_virtual_agglomeration_quality__product"
        ).fetchall()
    assert len(found) > 300
    assert [(code, sigma) for code, sigma in found if truth["elasticities"][code] != sigma] == []


def test_city_quality_adds_up_to_the_cells(small_release: Config) -> None:
    with connect(small_release.path) as connection:
        cells = connection.execute(
            """select sum(value_cents) / 100, sum(value_cents * quality_index) / sum(value_cents)
               from intermediate.int_virtual_agglomeration_quality__firm_product
                   where quality_index is not null"""
        ).fetchone()
        for table in ("city_hs4", "city_hs6", "firm_year"):
            summed = connection.execute(
                f"""select sum(quality_value_usd),
                        sum(quality_value_usd::double * quality_index) / sum(quality_value_usd)
                    from intermediate.int_virtual_agglomeration_quality__{table}"""
            ).fetchone()
            assert summed is not None and cells is not None
            assert [float(value) for value in summed] == pytest.approx(
                [float(value) for value in cells], rel=1e-12
            )
