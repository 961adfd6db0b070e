"""Data envelopment: cases worked by hand, cited examples, and what may not depend on units, order
or names.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.measures.envelopment import envelopment
from analysis.measures.malmquist import malmquist


@pytest.fixture(scope="module")
def one_input() -> pd.DataFrame:
    """DEAP 2.1's second example (Coelli 1996): one input, one output, five firms."""
    return pd.DataFrame({"firm": list("abcde"), "y": [1, 2, 3, 4, 5], "x": [2, 4, 3, 5, 6]})


@pytest.fixture(scope="module")
def two_inputs() -> pd.DataFrame:
    """Example in the documentation of DataEnvelopmentAnalysis.jl (radial model)."""
    x1, x2 = [5, 16, 16, 17, 18, 23, 25, 27, 37, 42, 5], [13, 12, 26, 15, 14, 6, 10, 22, 14, 25, 17]
    return pd.DataFrame(
        {"firm": range(11), "x1": x1, "x2": x2, "y": [12, 14, 25, 26, 8, 9, 27, 30, 31, 26, 12]}
    )


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    draw = np.random.default_rng(8)
    frame = pd.DataFrame(draw.lognormal(size=(40, 4)), columns=["x1", "x2", "y1", "y2"])
    return frame.assign(firm=[f"f{number}" for number in range(40)])


def test_constant_returns_by_hand(one_input: pd.DataFrame) -> None:
    """With one input and one output, efficiency is y/x over the best y/x, which is firm c's, 1."""
    for orientation in ("input", "output"):
        result = envelopment(one_input, ["x"], ["y"], unit="firm", orientation=orientation)
        assert result.table["efficiency"].to_list() == pytest.approx(
            [1 / 2, 1 / 2, 1, 4 / 5, 5 / 6], abs=1e-12
        )
        assert set(result.peers["peer"]) == {"c"}


def test_variable_returns_by_hand(one_input: pd.DataFrame) -> None:
    """The frontier goes from (2, 1) by (3, 3) to (6, 5). b makes 2 with 2.5 of its 4; d makes 4
    with 4.5 of its 5.
    """
    inward = envelopment(one_input, ["x"], ["y"], unit="firm", returns="vrs").table
    assert inward["efficiency"].to_list() == pytest.approx([1, 2.5 / 4, 1, 4.5 / 5, 1], abs=1e-12)
    assert inward["scale_efficiency"].to_list() == pytest.approx(
        [0.5, 0.8, 1, 8 / 9, 5 / 6], abs=1e-12
    )
    assert inward["returns_to_scale"].to_list() == ["irs", "irs", "crs", "drs", "drs"]
    outward = envelopment(one_input, ["x"], ["y"], unit="firm", returns="vrs", orientation="output")
    # With 4, b could make 3 + 2/3; with 5, d could make 4 + 1/3.
    assert outward.table["efficiency"].to_list() == pytest.approx(
        [1, 2 / (11 / 3), 1, 4 / (13 / 3), 1], abs=1e-12
    )
    assert outward.table["target: y"].to_list() == pytest.approx(
        [1, 11 / 3, 3, 13 / 3, 5], abs=1e-8
    )
    weights = outward.peers.set_index(["firm", "peer"])["weight"]
    assert weights["b", "c"] == pytest.approx(2 / 3, abs=1e-8)
    assert weights["b", "e"] == pytest.approx(1 / 3, abs=1e-8)


def test_bounded_returns_by_hand(one_input: pd.DataFrame) -> None:
    """Non-increasing returns let a and b shrink from c; non-decreasing returns let d and e grow
    from c.
    """
    shrinking = envelopment(
        one_input, ["x"], ["y"], unit="firm", returns="nirs", slacks="none"
    ).table["efficiency"]
    growing = envelopment(
        one_input, ["x"], ["y"], unit="firm", returns="ndrs", slacks="none"
    ).table["efficiency"]
    assert shrinking.to_list() == pytest.approx([0.5, 0.5, 1, 0.9, 1], abs=1e-12)
    assert growing.to_list() == pytest.approx([1, 0.625, 1, 0.8, 5 / 6], abs=1e-12)


def test_super_efficiency_by_hand(one_input: pd.DataFrame) -> None:
    """Without c the best y/x is e's 5/6, so c could use 3.6 where it uses 3. Nobody else can make
    e's output under variable returns.
    """
    constant = envelopment(
        one_input, ["x"], ["y"], unit="firm", super_efficiency=True, slacks="none"
    ).table
    assert constant["super_efficiency"].to_list() == pytest.approx(
        [0.5, 0.5, 1.2, 0.8, 5 / 6], abs=1e-12
    )
    variable = envelopment(
        one_input, ["x"], ["y"], unit="firm", returns="vrs", super_efficiency=True, slacks="none"
    ).table
    assert np.isnan(variable["super_efficiency"].iloc[4])
    assert variable["efficiency"].iloc[4] == 1


def test_documented_example_with_slack(two_inputs: pd.DataFrame) -> None:
    result = envelopment(two_inputs, ["x1", "x2"], ["y"], unit="firm").table
    expected = {
        0: 1.0,
        1: 0.62229,
        2: 0.819856,
        3: 1.0,
        4: 0.310371,
        5: 0.555556,
        6: 1.0,
        7: 0.757669,
    }
    assert result["efficiency"].loc[list(expected)].to_list() == pytest.approx(
        list(expected.values()), abs=1e-5
    )
    assert result["slack: x1"].iloc[5] == pytest.approx(4.44444, abs=1e-5)
    assert result["slack: x1"].drop(5).iloc[:7].abs().max() == 0


def test_slack_stages_differ_as_they_should() -> None:
    """p uses (1, 4, 8) and q (1, 10, 1) for what u makes with (2, 22, 18): input 1 sets u's
    efficiency, and any mix of p and q leaves slack.
    """
    frame = pd.DataFrame(
        {
            "firm": ["p", "q", "u"],
            "x1": [1.0, 1, 2],
            "x2": [4.0, 10, 22],
            "x3": [8.0, 1, 18],
            "y": [1.0, 1, 1],
        }
    )
    largest = envelopment(
        frame, ["x1", "x2", "x3"], ["y"], unit="firm", slacks="two_stage"
    ).table.iloc[2]
    nearest = envelopment(
        frame, ["x1", "x2", "x3"], ["y"], unit="firm", slacks="multi_stage"
    ).table.iloc[2]
    assert largest["efficiency"] == nearest["efficiency"] == pytest.approx(0.5)
    # Halved, u is (1, 11, 9). Slacks at weight a of p: 11 - 4a - 10(1 - a) = 1 + 6a and 9 - 8a - (1
    # - a) = 8 - 7a. In units of the means
    # (12 and 9), (1 + 6a)/12 + (8 - 7a)/9 falls in a, so the largest is at a = 0: slacks 1 and 8.
    assert largest[["slack: x1", "slack: x2", "slack: x3"]].to_list() == pytest.approx(
        [0, 1, 8], abs=1e-6
    )
    # The radial step shrinks both alike: (10 - 6a)/11 = (1 + 7a)/9 at a = 79/131, and there neither
    # can shrink alone.
    share = 79 / 131
    assert nearest[["slack: x1", "slack: x2", "slack: x3"]].to_list() == pytest.approx(
        [0, 1 + 6 * share, 8 - 7 * share], abs=1e-5
    )


@pytest.mark.parametrize("returns", ["crs", "vrs", "nirs"])
@pytest.mark.parametrize("orientation", ["input", "output"])
def test_invariances(many: pd.DataFrame, returns: str, orientation: str) -> None:
    options = {"unit": "firm", "returns": returns, "orientation": orientation}
    result = envelopment(many, ["x1", "x2"], ["y1", "y2"], **options)
    efficiency = result.table["efficiency"]
    assert efficiency.between(0, 1, inclusive="right").all()
    assert (efficiency[many["firm"].isin(result.peers["peer"])] == 1).all()
    assert (efficiency == 1).sum() >= 2
    scaled = envelopment(
        many.assign(x1=1e4 * many["x1"], y2=many["y2"] / 1e3), ["x1", "x2"], ["y1", "y2"], **options
    )
    assert scaled.table["efficiency"].to_numpy() == pytest.approx(efficiency.to_numpy(), abs=1e-9)
    assert scaled.table["slack: x1"].to_numpy() == pytest.approx(
        1e4 * result.table["slack: x1"].to_numpy(), abs=1e-1
    )
    shuffled = many.sample(frac=1, random_state=1)
    again = envelopment(shuffled, ["x1", "x2"], ["y1", "y2"], **options)
    pd.testing.assert_frame_equal(again.table.loc[many.index], result.table, check_exact=True)
    pd.testing.assert_frame_equal(again.peers, result.peers, check_exact=True)


def test_targets_are_what_peers_make(many: pd.DataFrame) -> None:
    result = envelopment(many, ["x1", "x2"], ["y1", "y2"], unit="firm", returns="vrs")
    weights = (
        result.peers.pivot(index="firm", columns="peer", values="weight")
        .fillna(0)
        .loc[many["firm"]]
    )
    assert weights.sum(axis=1).to_numpy() == pytest.approx(np.ones(40), abs=1e-7)
    made = (
        weights.to_numpy()
        @ many.set_index("firm").loc[weights.columns, ["x1", "x2", "y1", "y2"]].to_numpy()
    )
    targets = result.table[["target: x1", "target: x2", "target: y1", "target: y2"]].to_numpy()
    assert targets == pytest.approx(made, abs=1e-4)
    # A target is efficient itself.
    lifted = pd.concat(
        [
            many,
            many.assign(
                firm="t" + many["firm"],
                **dict(zip(["x1", "x2", "y1", "y2"], targets.T, strict=True)),
            ),
        ]
    )
    assert (
        envelopment(lifted, ["x1", "x2"], ["y1", "y2"], unit="firm", returns="vrs", slacks="none")
        .table["efficiency"]
        .iloc[40:]
        .min()
        > 1 - 1e-4
    )


def test_each_period_has_its_own_frontier(one_input: pd.DataFrame) -> None:
    later = one_input.assign(y=one_input["y"] * 2)
    frame = pd.concat([one_input.assign(year=2001), later.assign(year=2002)], ignore_index=True)
    by_year = envelopment(frame, ["x"], ["y"], unit="firm", period="year").table["efficiency"]
    assert by_year.iloc[:5].to_list() == pytest.approx(by_year.iloc[5:].to_list())
    with pytest.raises(ValueError, match=r"firm of an earlier row \(firm a"):
        envelopment(frame, ["x"], ["y"], unit="firm")


def test_rows_that_cannot_be_used_are_named(one_input: pd.DataFrame) -> None:
    bad = pd.DataFrame(
        {
            "firm": ["zero", "minus", "none", "idle", "huge"],
            "x": [0, 2, np.nan, 2, np.inf],
            "y": [1.0, -1, 1, 0, 1],
        }
    )
    result = envelopment(pd.concat([bad, one_input], ignore_index=True), ["x"], ["y"], unit="firm")
    assert dict(zip(result.left_out["firm"], result.left_out["reason"], strict=True)) == {
        "zero": "x zero",
        "minus": "y negative",
        "none": "x missing",
        "idle": "y zero",
        "huge": "x infinite",
    }
    assert result.table["efficiency"].iloc[:5].isna().all()
    assert result.table["efficiency"].iloc[5:].to_list() == pytest.approx(
        [1 / 2, 1 / 2, 1, 4 / 5, 5 / 6]
    )
    assert sum(result.dropped.values()) == 5
    with pytest.raises(ValueError, match="no row can be used"):
        envelopment(bad, ["x"], ["y"], unit="firm")
    with pytest.raises(ValueError, match="'fixed' is not among"):
        envelopment(one_input, ["x"], ["y"], unit="firm", returns="fixed")


@pytest.fixture(scope="module")
def three_years() -> pd.DataFrame:
    """DEAP 2.1's fourth example (Coelli 1996)."""
    y, x = (
        [1, 2, 3, 4, 5, 1, 3, 4, 3, 5, 1, 3, 4, 3, 5],
        [2, 4, 3, 5, 6, 2, 4, 3, 5, 5, 2, 4, 3, 5, 5],
    )
    return pd.DataFrame(
        {"firm": list(range(1, 6)) * 3, "year": np.repeat([2001, 2002, 2003], 5), "y": y, "x": x}
    )


def test_malmquist_by_hand(three_years: pd.DataFrame) -> None:
    """The best y/x is 1 in 2001 and 4/3 from 2002: technical change is 4/3, and the index is the
    growth of y/x.
    """
    result = malmquist(three_years, ["x"], ["y"], unit="firm", period="year")
    first = result.changes[result.changes["year"] == 2002]
    ratio = three_years["y"] / three_years["x"]
    assert first["malmquist"].to_list() == pytest.approx(
        (ratio.iloc[5:10].to_numpy() / ratio.iloc[:5].to_numpy()).tolist(), abs=1e-9
    )
    assert first["technical_change"].to_list() == pytest.approx([4 / 3] * 5, abs=1e-9)
    # DEAP prints these, output-orientated.
    assert first["efficiency_change"].to_list() == pytest.approx(
        [0.75, 1.125, 1.0, 0.5625, 0.9], abs=1e-9
    )
    assert first["pure_efficiency_change"].round(3).to_list() == [1.0, 1.222, 1.0, 0.65, 1.0]
    assert first["scale_efficiency_change"].round(3).to_list() == [0.75, 0.92, 1.0, 0.865, 0.9]
    assert result.means.loc[2002].round(3).to_list() == [0.844, 1.333, 0.955, 0.883, 1.125]
    assert result.distances["vrs_own"].iloc[[3, 9]].round(3).to_list() == [0.545, 0.923]
    product = (
        result.changes["pure_efficiency_change"]
        * result.changes["scale_efficiency_change"]
        * result.changes["technical_change"]
    )
    assert product.to_numpy() == pytest.approx(result.changes["malmquist"].to_numpy(), abs=1e-12)
    inward = malmquist(three_years, ["x"], ["y"], unit="firm", period="year", orientation="input")
    assert inward.changes["malmquist"].to_numpy() == pytest.approx(
        result.changes["malmquist"].to_numpy(), abs=1e-9
    )


def test_malmquist_needs_neighbouring_periods(three_years: pd.DataFrame) -> None:
    gap = three_years[~((three_years["firm"] == 4) & (three_years["year"] == 2002))]
    result = malmquist(gap.sample(frac=1, random_state=3), ["x"], ["y"], unit="firm", period="year")
    assert 4 not in set(result.changes["firm"])
    assert result.dropped == {"no row in the period before": 1}
    with pytest.raises(ValueError, match="two periods"):
        malmquist(
            three_years[three_years["year"] == 2001], ["x"], ["y"], unit="firm", period="year"
        )
