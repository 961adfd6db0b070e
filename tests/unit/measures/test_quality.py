from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.measures.demeaning import two_way_residuals
from analysis.measures.quality import (
    demand_with_instrument,
    demand_with_sigma,
    price_at_other_destinations,
    quality_of_cells,
    scaled_within,
)


def dummies(codes):
    return (codes[:, None] == np.unique(codes)[None, :]).astype(float)


def draw(seed=0, n=600, products=12, markets=20):
    rng = np.random.default_rng(seed)
    product, market = rng.integers(0, products, n), rng.integers(0, markets, n)
    return rng, product, market


class TestTwoWayResiduals:
    def test_equal_least_squares_on_dummies(self):
        rng, first, second = draw()
        columns = rng.normal(size=(600, 2)) * [1, 1000] + [5, 1e6]
        both = np.hstack([dummies(first), dummies(second)])
        expected = columns - both @ np.linalg.lstsq(both, columns, rcond=None)[0]
        assert np.abs(two_way_residuals(columns, first, second) - expected).max() < 1e-7
        assert np.abs(dummies(first).T @ two_way_residuals(columns, first, second)).max() < 1e-6

    def test_by_hand(self):
        # two firms, two years: 1 2 / 3 8 has row and column effects, and 1 -1 / -1 1 is left
        left = two_way_residuals(
            np.array([1.0, 2.0, 3.0, 8.0]), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
        )
        assert left == pytest.approx([1, -1, -1, 1], abs=1e-14)

    def test_long_chains_of_levels_are_solved_too(self):
        # each level shares one row with the next: the slowest case for methods that alternate
        n = 3_000
        first, second = np.repeat(np.arange(n), 2)[:-1], np.repeat(np.arange(n), 2)[1:]
        left = two_way_residuals(np.random.default_rng(1).normal(size=2 * n - 1), first, second)
        assert np.abs(left).max() < 1e-6  # as many effects as rows: nothing is left

    def test_separate_parts_do_not_touch(self):
        rng, first, second = draw(2)
        values = rng.normal(size=600)
        alone = two_way_residuals(values, first, second)
        double = two_way_residuals(
            np.tile(values, 2),
            np.concatenate([first, first + 12]),
            np.concatenate([second, second + 20]),
        )
        assert np.abs(double - np.tile(alone, 2)).max() < 1e-12

    def test_holes_and_missing_values_are_refused(self):
        with pytest.raises(ValueError, match="without holes"):
            two_way_residuals(np.ones(2), np.array([0, 2]), np.array([0, 1]))
        with pytest.raises(ValueError, match="missing or infinite"):
            two_way_residuals(np.array([1.0, np.nan]), np.array([0, 1]), np.array([0, 1]))

    def test_the_input_is_left_alone(self):
        values = np.array([1.0, 2.0, 3.0, 8.0])
        two_way_residuals(values, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
        assert list(values) == [1, 2, 3, 8]


def true_demand(seed, slope=0.3):
    """Demand without noise, quality free of effects and of the control: what is estimated must be
    what was drawn.
    """
    rng, product, market = draw(seed)
    control = rng.normal(size=600)
    ln_price = rng.normal(size=600) + product / 3
    sigma = (1.5 + np.arange(12) / 2)[product]
    explained = np.hstack([dummies(product), dummies(market), control[:, None]])
    drawn = rng.normal(size=600)
    weighted = (sigma - 1) * drawn
    weighted -= explained @ np.linalg.lstsq(explained, weighted, rcond=None)[0]
    ln_quality = weighted / (sigma - 1)
    ln_quantity = -sigma * ln_price + product - market / 5 + slope * control + weighted
    return ln_quantity, ln_price, sigma, product, market, control, ln_quality


class TestPublishedElasticity:
    def test_gives_back_quality_exactly_without_noise(self):
        *given, truth = true_demand(3)
        demand = demand_with_sigma(*given)
        assert np.abs(demand.ln_quality - truth).max() < 1e-9
        assert demand.control == pytest.approx(0.3, abs=1e-9)
        scaled = scaled_within(demand.ln_quality, given[3])
        for product in range(12):
            one = truth[given[3] == product]
            assert (
                np.abs(
                    scaled[given[3] == product] - (one - one.min()) / (one.max() - one.min())
                ).max()
                < 1e-9
            )

    def test_units_of_quantity_and_currency_do_not_matter(self):
        q, p, *rest, _ = true_demand(4)
        units = np.random.default_rng(0).normal(size=12)[rest[1]]
        plain, other = (
            demand_with_sigma(q, p, *rest),
            demand_with_sigma(q + units, p - units + 2.0, *rest),
        )
        assert np.abs(plain.ln_quality - other.ln_quality).max() < 1e-9

    def test_order_of_rows_does_not_matter(self):
        *given, _ = true_demand(5)
        order = np.random.default_rng(1).permutation(600)
        assert (
            np.abs(
                demand_with_sigma(*given).ln_quality[order]
                - demand_with_sigma(*(part[order] for part in given)).ln_quality
            ).max()
            < 1e-10
        )

    def test_an_elasticity_of_one_or_none_gives_no_quality_and_harms_no_other(self):
        q, p, sigma, product, *rest, _ = true_demand(6)
        bad = np.where(product == 0, 1.0, np.where(product == 1, np.nan, sigma))
        found = demand_with_sigma(q, p, bad, product, *rest).ln_quality
        good = product > 1
        assert np.isnan(found[~good]).all()
        alone = demand_with_sigma(
            *(part[good] for part in (q, p, sigma, product, *rest))
        ).ln_quality
        assert np.abs(found[good] - alone).max() < 1e-12

    def test_a_control_that_never_varies_does_nothing(self):
        q, p, sigma, product, market, _, _ = true_demand(7)
        demand = demand_with_sigma(q, p, sigma, product, market, np.full(600, 27.3))
        assert demand.control == 0
        assert np.isfinite(demand.ln_quality).all()


class TestEstimatedElasticity:
    def draw(self, n=60_000):
        """Prices move with the firm's cost and with the buyer's taste: least squares is biased, the
        price elsewhere is not.
        """
        rng = np.random.default_rng(8)
        firm, product, market = (
            rng.integers(0, 4_000, n),
            rng.integers(0, 10, n),
            rng.integers(0, 30, n),
        )
        cost, taste = rng.normal(size=4_000)[firm], rng.normal(size=n)
        ln_price = cost + 0.6 * taste + 0.2 * rng.normal(size=n)
        sigma = np.where(product < 5, 2.5, 4.0)
        ln_quantity = -sigma * ln_price + product + market / 7 + taste
        other = cost + 0.3 * rng.normal(size=n)
        return (
            ln_quantity,
            ln_price,
            other,
            product // 5,
            product,
            market,
            rng.normal(size=n),
            sigma,
            taste,
        )

    def test_finds_each_groups_elasticity(self):
        *given, sigma, taste = self.draw()
        demand = demand_with_instrument(*given)
        assert np.abs(demand.sigma - sigma).max() < 0.05
        assert np.corrcoef(demand.residuals, taste)[0, 1] > 0.98

    def test_equals_two_stage_least_squares_on_dummies(self):
        q, p, z, group, product, market, x, *_ = (part[:500] for part in self.draw(500))
        demand = demand_with_instrument(q, p, z, group, product, market, x)
        for g in (0, 1):
            rows = group == g
            exogenous = np.hstack([dummies(product[rows]), dummies(market[rows]), x[rows, None]])
            instruments, regressors = (
                np.hstack([exogenous, z[rows, None]]),
                np.hstack([exogenous, p[rows, None]]),
            )
            fitted = instruments @ np.linalg.lstsq(instruments, regressors, rcond=None)[0]
            coefficients = np.linalg.lstsq(fitted, q[rows], rcond=None)[0]
            assert demand.sigma[rows] == pytest.approx(-coefficients[-1], rel=1e-9)
            assert (
                np.abs(demand.residuals[rows] - (q[rows] - regressors @ coefficients)).max() < 1e-8
            )

    def test_one_group_gives_one_elasticity(self):
        q, p, z, _, product, market, x, *_ = self.draw(5_000)
        assert (
            len(
                np.unique(
                    demand_with_instrument(
                        q, p, z, np.zeros(5_000, dtype=int), product, market, x
                    ).sigma
                )
            )
            == 1
        )

    def test_an_instrument_that_says_nothing_gives_none(self):
        q, p, _, group, product, market, x, *_ = self.draw(500)
        demand = demand_with_instrument(q, p, product.astype(float), group, product, market, x)
        assert np.isnan(demand.sigma).all() and np.isnan(demand.ln_quality).all()


def test_price_at_other_destinations_by_hand():
    price = np.array([10.0, 20.0, 60.0, 5.0, 7.0, 9.0])
    firm, product = np.array([1, 1, 1, 1, 2, 2]), np.array([8, 8, 8, 9, 8, 8])
    destination = np.array(
        [1, 2, 3, 1, 4, 4]
    )  # the last two rows are one destination, from two cities
    found = price_at_other_destinations(price, firm, product, np.full(6, 2005), destination)
    assert found[:3] == pytest.approx([40, 35, 15])
    assert np.isnan(found[3:]).all()


def test_scaled_within_by_hand():
    found = scaled_within(
        np.array([1.0, 3.0, 2.0, 7.0, 7.0, np.nan, 5.0]), np.array([4, 4, 4, 6, 6, 6, 9])
    )
    assert found[:3] == pytest.approx([0, 1, 0.5])
    assert np.isnan(found[3:]).all()


class TestCells:
    def cells(self):
        rng, product, _ = draw(9)
        frame = pd.DataFrame(
            {
                "firm_id": rng.integers(0, 50, 600), "city_id": rng.choice([1100, 3301, 4401], 600),
                "hs6_id": 850_000 + 1_000 * product,
                "destination_id": rng.integers(100, 106, 600), "year": rng.integers(2000, 2004,
                600), "value_cents": rng.integers(1_000, 10**7, 600),
                "quantity": rng.integers(1, 1_000, 600).astype(float),
            }
        ).drop_duplicates(["firm_id", "city_id", "hs6_id", "destination_id", "year"])  # fmt: skip
        return frame.assign(
            ordinary_cents=frame["value_cents"],
            processing_cents=0,
            unit_value_usd=frame["value_cents"] / 100 / frame["quantity"],
        )

    products = pd.DataFrame(
        {"hs6_id": [850_000 + 1_000 * i for i in range(12)], "sigma": [None, 0.9, *[3.0] * 10]}
    )
    provinces = pd.DataFrame(
        [(code, year, 1e11 * (year - 1990)) for code in ("11", "33") for year in range(2000, 2004)],
        columns=["province_code", "year", "province_gdp_cny_2000"],
    )

    def test_each_missing_index_has_its_reason(self):
        cells = self.cells()
        found = quality_of_cells(cells, self.products, self.provinces, "published")
        said = found["quality_problem"]
        assert (said[cells["city_id"] == 4401] == "no_province_gdp").all()
        known = cells["city_id"] != 4401
        assert (said[known & (cells["hs6_id"] == 850_000)] == "no_elasticity").all()
        assert (said[known & (cells["hs6_id"] == 851_000)] == "elasticity_not_above_one").all()
        assert said.isna().equals(found["quality_index"].notna())
        assert found["quality_index"].min() == 0 and found["quality_index"].max() == 1

    def test_a_product_with_one_value_is_told(self):
        cells = self.cells()
        one = cells[
            (cells["hs6_id"] != 854_000)
            | (cells.index == cells.index[cells["hs6_id"] == 854_000][0])
        ]
        found = quality_of_cells(
            one[one["city_id"] != 4401], self.products, self.provinces, "published"
        )
        assert list(found.loc[found["hs6_id"] == 854_000, "quality_problem"]) == ["one_value"]

    def test_the_estimated_elasticity_needs_a_second_destination(self):
        cells = self.cells()
        found = quality_of_cells(cells, self.products, self.provinces, "estimated")
        lonely = (
            cells.groupby(["firm_id", "hs6_id", "year"])["destination_id"].transform("nunique") == 1
        )
        assert (found["quality_problem"][lonely] == "no_other_destination").all()
        assert not (found["quality_problem"][~lonely] == "no_other_destination").any()

    def test_no_cells_give_no_quality(self):
        assert quality_of_cells(
            self.cells().iloc[:0], self.products, self.provinces, "published"
        ).empty

    def test_another_elasticity_is_refused(self):
        with pytest.raises(ValueError, match="choose 'published' or 'estimated'"):
            quality_of_cells(self.cells(), self.products, self.provinces, "guessed")
