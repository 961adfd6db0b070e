"""Entropy weights and principal components: by hand, by a second formula, and with indicators that
say nothing.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analysis.measures.weights import entropy_weights, principal_components

# The 17 weights printed in table 1 of the paper on cross-border e-commerce and city resilience, to
# seven decimals or fewer.
PUBLISHED = (
    "0.0427519 0.0349807 0.1406019 0.001821 0.0034787 0.0318075 0.1333086 0.0150432 0.0123759"
    " 0.0731628 0.0695162 0.0001878 0.3210549 0.0530941 0.0070145 0.0418507 0.0179497"
)


@pytest.fixture(scope="module")
def cities() -> pd.DataFrame:
    """248 cities over 10 years, 17 indicators of which two are better when low, very differently
    skewed.
    """
    draw = np.random.default_rng(17)
    skew = np.linspace(0.05, 2.0, 17)
    return pd.DataFrame(
        {f"i{number}": draw.lognormal(sigma=skew[number], size=2480) for number in range(17)}
    )


def by_divergence(scaled: pd.DataFrame) -> list[float]:
    """Weights from Theil's index: 1 - e = sum of q ln(n q) / ln n, row by row and with
    exact sums.
    """
    spread = []
    for name in scaled:
        values = scaled[name].to_list()
        total, n = math.fsum(values), len(values)
        spread.append(
            math.fsum(value / total * math.log(n * value / total) for value in values if value > 0)
            / math.log(n)
        )
    return [one / math.fsum(spread) for one in spread]


def test_weights_equal_a_second_formula(cities: pd.DataFrame) -> None:
    result = entropy_weights(cities, [f"i{number}" for number in range(15)], ["i15", "i16"])
    scaled = (cities - cities.min()) / (cities.max() - cities.min())
    scaled[["i15", "i16"]] = 1 - scaled[["i15", "i16"]]
    assert result.weights.to_list() == pytest.approx(by_divergence(scaled), abs=1e-12)
    assert math.fsum(result.weights) == pytest.approx(1, abs=1e-15)
    assert result.index.to_numpy() == pytest.approx(
        (scaled * result.weights).sum(axis=1).to_numpy(), abs=1e-12
    )
    assert result.index.between(0, 1).all()


def test_published_weights_sum_to_one_as_ours_do(cities: pd.DataFrame) -> None:
    published = [float(text) for text in PUBLISHED.split()]
    assert len(published) == 17
    # Each is rounded by at most half of the seventh decimal.
    assert math.fsum(published) == pytest.approx(1, abs=17 * 0.5e-7)
    assert math.fsum(
        round(weight, 7) for weight in entropy_weights(cities, list(cities)).weights
    ) == pytest.approx(1, abs=17 * 0.5e-7)


def test_weights_by_hand() -> None:
    """a is scaled to 0, 1, 1 with shares 0, 1/2, 1/2 and entropy ln 2 / ln 3; b, where less is
    better, to 1, 0, 0, and has entropy 0.
    """
    frame = pd.DataFrame({"a": [10.0, 20, 20], "b": [3.0, 7, 7]})
    result = entropy_weights(frame, ["a"], ["b"])
    spread = [1 - math.log(2) / math.log(3), 1.0]
    assert result.entropy.to_list() == pytest.approx([math.log(2) / math.log(3), 0.0], abs=1e-15)
    assert result.weights.to_list() == pytest.approx(
        [spread[0] / sum(spread), 1 / sum(spread)], abs=1e-15
    )
    assert result.index.to_list() == pytest.approx(
        [result.weights["b"], result.weights["a"], result.weights["a"]]
    )


def test_units_order_and_extra_columns_change_nothing(cities: pd.DataFrame) -> None:
    names, before = [f"i{number}" for number in range(17)], cities.copy(deep=True)
    first = entropy_weights(cities, names[:15], names[15:])
    pd.testing.assert_frame_equal(cities, before)
    shuffled = cities.sample(frac=1, random_state=1).assign(extra="text")
    assert (
        entropy_weights(shuffled, names[:15], names[15:]).weights.to_list()
        == first.weights.to_list()
    )
    units = cities.assign(i3=1e8 * cities["i3"] + 12, i16=cities["i16"] / 1e6)
    assert entropy_weights(units, names[:15], names[15:]).weights.to_list() == pytest.approx(
        first.weights.to_list(), abs=1e-12
    )


def test_indicators_that_say_nothing_have_no_weight() -> None:
    frame = pd.DataFrame(
        {"a": [1.0, 2, 4, 8, 5], "flat": 0.1, "none": np.nan, "b": [3.0, 1, np.nan, 2, np.inf]}
    )
    result = entropy_weights(frame, ["a", "flat", "none", "b"])
    assert result.weights[["flat", "none"]].to_list() == [0.0, 0.0]
    assert result.weights.sum() == pytest.approx(1)
    assert result.problems == {"none": "all missing", "flat": "all equal"}
    assert result.dropped == {"b missing": 1, "b infinite": 1}
    assert result.index.isna().to_list() == [False, False, True, False, True]
    assert "flat (all equal)" in result.note()
    alone = entropy_weights(frame.loc[[0, 1, 3], ["a", "b"]], ["a", "b"])
    assert result.weights[["a", "b"]].to_list() == alone.weights.to_list()


@pytest.mark.parametrize("compose", [entropy_weights, principal_components])
def test_nothing_to_weigh_gives_no_index_and_no_error(compose) -> None:
    nothing = pd.DataFrame({"a": [2.0, 2.0], "b": [np.nan, np.nan]})
    result = compose(nothing, ["a", "b"])
    assert result.index.isna().all()
    assert result.problems == {"b": "all missing", "a": "all equal"}
    apart = compose(pd.DataFrame({"a": [1.0, np.nan, 2], "b": [np.nan, 1.0, np.nan]}), ["a", "b"])
    assert apart.index.isna().all()
    assert set(apart.problems.values()) == {"no row has every indicator"}
    empty = compose(nothing.iloc[:0], ["a", "b"])
    assert len(empty.index) == 0


@pytest.mark.parametrize("compose", [entropy_weights, principal_components])
def test_columns_are_checked(compose, cities: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"'i99' is not in the frame"):
        compose(cities, ["i99"])
    with pytest.raises(ValueError, match="asked for twice"):
        compose(cities, ["i1"], ["i1"])
    with pytest.raises(ValueError, match="no indicator"):
        compose(cities, [])
    with pytest.raises(ValueError, match="not numbers"):
        compose(cities.assign(i1="text"), ["i1"])


def test_two_indicators_by_hand() -> None:
    """Two standardised indicators with correlation r have eigenvalues 1 + r and 1 - r, and loadings
    1/sqrt(2) and +-1/sqrt(2).
    """
    frame = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [10.0, 30, 20, 40]})
    r = 0.8
    result = principal_components(frame, ["a", "b"])
    assert (result.deviations**2).to_list() == pytest.approx([1 + r, 1 - r], abs=1e-12)
    assert result.shares.to_list() == pytest.approx([(1 + r) / 2, (1 - r) / 2], abs=1e-12)
    half = 1 / math.sqrt(2)
    assert result.loadings.to_numpy() == pytest.approx(
        np.array([[half, half], [half, -half]]), abs=1e-12
    )
    z = (frame - frame.mean()) / frame.std()
    assert result.index.to_list() == pytest.approx(((z["a"] + z["b"]) * half).to_list(), abs=1e-12)
    turned = principal_components(frame.assign(b=-frame["b"]), ["a"], ["b"])
    assert turned.index.to_list() == pytest.approx(result.index.to_list(), abs=1e-12)


def test_components_keep_identity_and_order(cities: pd.DataFrame) -> None:
    names = [f"i{number}" for number in range(6)]
    result = principal_components(cities, names, keep=0.6)
    assert result.loadings.sum().gt(0).all()
    assert (result.loadings.T @ result.loadings).to_numpy() == pytest.approx(np.eye(6), abs=1e-12)
    assert result.scores.std().to_list() == pytest.approx(result.deviations.to_list(), abs=1e-12)
    assert result.shares.sum() == pytest.approx(1)
    assert (
        result.shares.iloc[: result.kept].sum() >= 0.6 > result.shares.iloc[: result.kept - 1].sum()
    )
    share = result.shares.iloc[: result.kept]
    assert result.index.to_numpy() == pytest.approx(
        (result.scores.iloc[:, : result.kept] @ (share / share.sum())).to_numpy(), abs=1e-12
    )
    shuffled = principal_components(cities.sample(frac=1, random_state=4), names, keep=0.6)
    assert shuffled.index.loc[cities.index].to_list() == result.index.to_list()
    units = principal_components(cities.assign(i2=1e7 * cities["i2"]), names, keep=0.6)
    assert units.index.to_numpy() == pytest.approx(result.index.to_numpy(), abs=1e-9)
    assert (
        principal_components(
            cities.assign(i2=1e7 * cities["i2"]), names, standardise=False
        ).shares.iloc[0]
        > 0.999
    )


def test_bad_indicators_leave_the_components_of_the_others(cities: pd.DataFrame) -> None:
    few = cities.iloc[:30]
    result = principal_components(few.assign(flat=1.0, none=np.nan), ["i1", "flat", "i2", "none"])
    assert result.index.to_list() == pytest.approx(
        principal_components(few, ["i1", "i2"]).index.to_list(), abs=1e-12
    )
    assert result.loadings.loc["flat"].abs().max() == 0
    for keep in (0, 5, 0.0, 1.5):
        with pytest.raises(ValueError, match="keep is"):
            principal_components(few, ["i1", "i2"], keep=keep)
