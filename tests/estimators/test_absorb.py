"""Absorbing effects: equal to least squares on dummies for every solver, weights and overlaps;
levels counted exactly.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from analysis.estimators.core import absorb, factors
from analysis.estimators.core.absorb import Absorber
from analysis.estimators.core.groups import (
    Group,
    canonical_order,
    combined,
    connected_parts,
    group_codes,
    nested,
    renumbered,
    without_singletons,
)

N = 400
# The way that a reduced system is solved: at once; by conjugate gradients; after gradients that may
# take no step, densely or sparsely.
WAYS = {
    "dense": (3_000, 200, 12_000),
    "gradients": (0, 200, 12_000),
    "late dense": (0, 0, 12_000),
    "sparse": (0, 0, 0),
}


@pytest.fixture(params=list(WAYS))
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in zip(
        ("DENSE_LEVELS", "GRADIENT_STEPS", "DENSE_LIMIT"), WAYS[request.param], strict=True
    ):
        monkeypatch.setattr(absorb, name, value)
    monkeypatch.setattr(factors, "INVERTED", WAYS[request.param][0])
    return str(request.param)


def grouping(draw: np.random.Generator, levels: int) -> Group:
    return renumbered(draw.integers(0, levels, N), levels)


def designs() -> dict[str, list[Group]]:
    """Effects that are linked, nested, disconnected, repeated, and all of it at once."""
    draw = np.random.default_rng(11)
    firm, city, year, sector = (grouping(draw, levels) for levels in (60, 17, 9, 5))
    islands = renumbered(firm[0] // 20 * 20 + draw.integers(0, 3, N), 200)
    region = renumbered(firm[0] // 7, 20)
    return {
        "one": [firm],
        "two": [firm, city],
        "four": [year, sector, firm, city],
        "nested": [firm, region],
        "disconnected": [firm, islands],
        "twice": [city, city, year],
        "all at once": [firm, islands, region, year, combined([year, sector])],
    }


def dummies(groups: list[Group]) -> np.ndarray:
    return np.hstack([np.eye(levels)[codes] for codes, levels in groups])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("design", list(designs()))
def test_equal_to_least_squares_on_dummies(way: str, design: str, weighted: bool) -> None:
    groups, draw = designs()[design], np.random.default_rng(5)
    columns = draw.normal(size=(N, 3)) * [1, 100, 1] + [0, 0, 1000]
    weights = draw.uniform(0.1, 3, N) if weighted else None
    root = np.sqrt(weights)[:, None] if weights is not None else np.ones((N, 1))
    full = dummies(groups)
    expected = columns - full @ np.linalg.lstsq(full * root, columns * root, rcond=None)[0]
    absorber = Absorber(groups, weights)
    before = columns.copy()
    left = absorber.residualise(columns)
    np.testing.assert_allclose(left, expected, atol=2e-11)
    assert np.abs(full.T @ (left * root**2)).max() < 1e-10  # sums by level are zero to rounding
    np.testing.assert_array_equal(columns, before)
    assert absorber.rank() == np.linalg.matrix_rank(full)


def test_large_means_do_not_cost_digits() -> None:
    """A column of size one on top of a billion: what is left is right to the rounding of a
    billion.
    """
    groups, draw = designs()["four"], np.random.default_rng(6)
    small = (
        np.round(draw.normal(size=(N, 1)) * 1024) / 1024
    )  # so that adding a billion loses nothing
    absorber = Absorber(groups)
    np.testing.assert_allclose(
        absorber.residualise(small + 1e9), absorber.residualise(small), atol=5e-7
    )
    assert np.abs(dummies(groups).T @ absorber.residualise(small + 1e9)).max() < 5e-6


def test_a_chain_of_cities_hanging_on_single_movers(way: str) -> None:
    """Stayers in every city, one mover between neighbours: where iterating stops early, eliminating
    does not.
    """
    cities, stayers = 40, 6
    firm = np.concatenate(
        [
            np.repeat(np.arange(cities * stayers), 2),
            np.repeat(cities * stayers + np.arange(cities - 1), 2),
        ]
    )
    city = np.concatenate(
        [
            np.repeat(np.arange(cities), 2 * stayers),
            (np.arange(cities - 1)[:, None] + [0, 1]).ravel(),
        ]
    )
    groups = [renumbered(firm, int(firm.max()) + 1), renumbered(city, cities)]
    z = np.random.default_rng(2).normal(size=(len(firm), 1)) + city[:, None]
    full = sparse.csc_array(dummies(groups)[:, 1:])
    expected = z - full @ np.linalg.lstsq(full.toarray(), z, rcond=None)[0]
    np.testing.assert_allclose(Absorber(groups).residualise(z), expected, atol=1e-9)
    assert connected_parts(*groups) == 1
    assert Absorber(groups).rank() == groups[0][1] + cities - 1


def test_more_levels_than_a_dense_system_takes() -> None:
    draw = np.random.default_rng(8)
    n = 40_000
    groups = [renumbered(draw.integers(0, levels, n), levels) for levels in (9_000, 4_000, 12)]
    absorber = Absorber(groups)
    assert absorber.reduced_levels > absorb.DENSE_LEVELS
    left = absorber.residualise(draw.normal(size=(n, 2)))
    for codes, levels in groups:
        assert max(np.abs(np.bincount(codes, left[:, at], levels)).max() for at in (0, 1)) < 1e-12


def test_float32_is_worked_on_in_float64() -> None:
    groups = designs()["four"]
    narrow = np.random.default_rng(1).normal(size=(N, 1)).astype(np.float32)
    left = Absorber(groups).residualise(narrow)
    assert left.dtype == np.float64
    np.testing.assert_array_equal(left, Absorber(groups).residualise(narrow.astype(np.float64)))


def test_no_effect_and_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one effect"):
        Absorber([])
    with pytest.raises(ValueError, match="same rows"):
        Absorber([(np.zeros(3, dtype=int), 1), (np.zeros(4, dtype=int), 1)])


def test_labels_of_any_type_give_the_same_numbers() -> None:
    text = pd.Series(["b", None, "a", "c", "a"])
    for column in (
        text,
        text.astype("category"),
        text.astype(pd.CategoricalDtype(["c", "z", "b", "a"], ordered=True)),
        text.astype(object),
    ):
        codes, levels = group_codes(pd.DataFrame({"g": column}), "g")
        assert (codes.tolist(), levels) == ([1, -1, 0, 2, 0], 3)
    for numbers in (
        [7, 7, -3],
        [7.0, 7.0, -3.0],
        np.array([7, 7, -3], dtype="int8"),
        np.array([7, 7, 3], dtype="uint64"),
        [10**15, 10**15, 0],
    ):
        assert group_codes(pd.DataFrame({"g": numbers}), "g")[0].tolist() == [1, 1, 0]
    assert group_codes(pd.DataFrame({"g": [7.0, np.nan, 7.0]}), "g")[0].tolist() == [0, -1, 0]


def test_columns_joined_to_one_grouping() -> None:
    frame = pd.DataFrame({"a": ["x", "x", "y", None], "b": [2, 1, 2, 1]})
    assert group_codes(frame, "a#b")[0].tolist() == [1, 0, 2, -1]
    many = pd.DataFrame({"a": np.arange(5_000) * 10**9, "b": np.arange(5_000)[::-1] * 10**9})
    codes, levels = group_codes(many, "a#b")
    assert levels == 5_000
    assert np.array_equal(codes, np.arange(5_000))


def test_connected_parts_nesting_and_singletons() -> None:
    firm, city = (
        renumbered(np.array(codes), 9) for codes in ([0, 0, 1, 2, 2, 3], [0, 1, 1, 2, 2, 3])
    )
    assert connected_parts(firm, city) == connected_parts(city, firm) == 3
    assert nested(renumbered(np.array([0, 1, 2, 2]), 3), renumbered(np.array([0, 0, 1, 1]), 2))
    assert not nested(renumbered(np.array([0, 1, 2, 2]), 3), renumbered(np.array([0, 0, 1, 0]), 2))
    # row 5 is alone in its firm and city; without row 0, alone in city 0, firm 0 has row 1 only,
    # and so on down the chain
    assert without_singletons([firm, city]).tolist() == [False, False, False, True, True, False]


def test_one_order_of_rows_whatever_came_in() -> None:
    draw = np.random.default_rng(4)
    group = renumbered(np.repeat([0, 1, 2], 4), 3)
    first, second = np.tile([1.0, 1.0, 0.0, 2.0], 3), draw.normal(size=12)
    seen = []
    for _ in range(5):
        shuffle = draw.permutation(12)
        order = canonical_order([(group[0][shuffle], 3)], [first[shuffle], second[shuffle]])
        seen.append(second[shuffle][order].tolist())
    assert all(one == seen[0] for one in seen)
    assert canonical_order([(np.arange(5), 5)], [np.zeros(5)]) is None
