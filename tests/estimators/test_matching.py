"""Propensity-score matching and PSM-DID: closed forms, cases by hand, known truths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.did.psm import psm_did
from analysis.estimators.linear.fixed_effects import fixed_effects
from analysis.estimators.matching.model import match, matching_att
from analysis.estimators.matching.options import MatchOptions
from analysis.estimators.matching.weights import kernel_weights, nearest, nearest_once
from tests.estimators.matching_cases import LALONDE, att, panel, small

# --- matching
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("nn1_noties", {"ties": "first"}),
        ("nn4_noties", {"neighbours": 4, "ties": "first"}),
        ("nn1_ties_averaged", {}),
        ("nn4_ties_averaged", {"neighbours": 4}),
        ("radius_0.05_att", {"method": "radius", "caliper": 0.05}),
        ("radius_0.01_att", {"method": "radius", "caliper": 0.01}),
        ("kernel_epan_0.06_att", {"method": "kernel"}),
    ],
)
def test_effects_equal_the_closed_form(
    lalonde: pd.DataFrame, expected: dict, key: str, options: dict
) -> None:
    result = matching_att(lalonde, "re78", "treat", LALONDE, keys=["row"], options=options)
    assert result.coefficients["ATT"] == pytest.approx(expected[key], rel=1e-12)
    if key.startswith("kernel"):
        assert result.matching.counts()["treated_matched"] == expected["kernel_epan_n"]


def test_every_method_by_hand() -> None:
    mean = np.mean([5.0, 8, 9])
    assert att() == pytest.approx(
        mean - np.mean([2, 4, 10])
    )  # .30 averages 1 and 3; .52 takes .50; .95 takes .60
    assert att(ties="first") == pytest.approx(mean - np.mean([1, 4, 10]))  # v before w
    assert att(neighbours=2) == pytest.approx(mean - np.mean([2, 5, 8]))
    assert att(caliper=0.1) == pytest.approx(np.mean([5, 8]) - np.mean([2, 4]))
    assert att(neighbours=3, caliper=0.05) == pytest.approx(np.mean([5, 8]) - np.mean([2, 5]))
    assert att(method="radius", caliper=0.35) == pytest.approx(
        mean - np.mean([np.mean([1, 3, 4, 6, 10]), np.mean([1, 3, 4, 6, 10]), 10])
    )
    u = np.array([0.02, 0.03]) / 0.06
    weight = 1 - u**2
    assert att(method="kernel") == pytest.approx(
        np.mean([5, 8]) - np.mean([2, weight @ [4, 6] / weight.sum()])
    )
    gaussian = [
        np.exp(-(((np.array([0.3, 0.3, 0.5, 0.55, 0.6]) - p) / 0.1) ** 2) / 2)
        for p in (0.3, 0.52, 0.95)
    ]
    assert att(method="kernel", kernel="gaussian", bandwidth=0.1) == pytest.approx(
        mean - np.mean([g @ [1, 3, 4, 6, 10] / g.sum() for g in gaussian])
    )
    # without replacement, largest score first: .95 takes .60, .52 takes .50, .30 takes v
    assert att(ties="first", replacement=False) == pytest.approx(mean - np.mean([10, 4, 1]))
    # two rounds: .95 then takes .55, .52 takes w (.30; .60 and .55 are gone), .30 has none left
    assert att(ties="first", replacement=False, neighbours=2) == pytest.approx(
        mean - np.mean([8, 3.5, 1])
    )


@pytest.mark.parametrize(
    ("kernel", "shape"),
    [
        ("biweight", lambda u: (1 - u**2) ** 2),
        ("tricube", lambda u: (1 - u**3) ** 3),
        ("uniform", np.ones_like),
    ],
)
def test_other_kernels(kernel: str, shape) -> None:
    weight = shape(np.array([0.02, 0.03]) / 0.06)
    got = kernel_weights(np.array([0.52]), np.array([0.3, 0.5, 0.55, 0.6]), kernel, 0.06).toarray()[
        0
    ]
    np.testing.assert_allclose(got, [0, *(weight / weight.sum()), 0], atol=1e-15)


def test_support_rules() -> None:
    frame = small()
    supported = {
        rule: match(frame, "d", score="p", options={"support": rule, "trim": 0.4}).support.tolist()
        for rule in ("none", "common", "overlap", "trim")
    }
    assert supported["none"] == [True] * 8
    assert supported["common"] == [True, True, False] + [True] * 5
    assert supported["overlap"] == [True, True, False] + [True] * 5
    assert supported["trim"] == [p >= 0.4 and p <= 0.6 for p in frame["p"]]


def test_weights_pairs_and_standard_error_by_hand() -> None:
    result = matching_att(small(), "y", "d", score="p", keys=["id"], options={"neighbours": 2})
    assert result.matching.weights.tolist() == [1, 1, 1, 0.5, 0.5, 0.5, 1.0, 0.5]
    np.testing.assert_allclose(result.matching.pairs.sum(axis=1), 1)
    own, other = np.var([5, 8, 9], ddof=1), np.var([1, 3, 4, 6, 10], ddof=1)
    assert result.standard_errors["ATT"] == pytest.approx(
        np.sqrt(own / 3 + other * (4 * 0.25 + 1) / 9)
    )
    assert result.unmatched_difference == pytest.approx(22 / 3 - 24 / 5)
    assert result.n == 8
    assert result.groups == {
        "treated": 3,
        "treated_matched": 3,
        "controls": 5,
        "controls_matched": 5,
    }


def test_abadie_imbens_by_hand() -> None:
    """One neighbour, scores without ties. Nearest controls of controls: .2-.3 each other, .5 to
    .55, .55 to .5, .7 to .55.
    """
    frame = pd.DataFrame(
        {
            "d": [1, 1, 1, 0, 0, 0, 0, 0],
            "p": [0.21, 0.53, 0.9, 0.2, 0.3, 0.5, 0.55, 0.7],
            "y": [5.0, 8, 9, 1, 3, 4, 6, 10],
        }
    )
    result = matching_att(frame, "y", "d", score="p", standard_error="abadie_imbens")
    gap = np.array([5 - 1, 8 - 6, 9 - 10]) - np.mean([4, 2, -1])
    variance = 0.5 * np.array(
        [(1 - 3) ** 2, (6 - 4) ** 2, (10 - 6) ** 2]
    )  # of the controls that serve: .2, .55, .7
    served = np.ones(3)  # each serves one row: K^2 - K' = 0
    assert result.standard_errors["ATT"] == pytest.approx(
        np.sqrt((gap**2).sum() + ((served**2 - 1) * variance).sum()) / 3
    )
    twice = frame.assign(p=[0.21, 0.22, 0.9, 0.2, 0.3, 0.5, 0.55, 0.7])
    gap = np.array([5 - 1, 8 - 1, 9 - 10]) - np.mean([4, 7, -1])
    result = matching_att(twice, "y", "d", score="p", standard_error="abadie_imbens")
    assert result.standard_errors["ATT"] == pytest.approx(
        np.sqrt((gap**2).sum() + (2**2 - 2) * 0.5 * (1 - 3) ** 2) / 3
    )
    with pytest.raises(ValueError, match="nearest neighbours with replacement"):
        matching_att(
            twice, "y", "d", score="p", standard_error="abadie_imbens", options={"method": "kernel"}
        )


def test_balance_by_hand() -> None:
    frame = small().assign(x=[2.0, 4, 6, 1, 2, 3, 4, 10])
    matching = match(frame, "d", ["x"], score="p", keys=["id"], options={"neighbours": 2})
    row, w = matching.balance.loc["x"], np.array([0.5, 0.5, 0.5, 1.0, 0.5])
    x1, x0 = frame["x"].to_numpy()[:3], frame["x"].to_numpy()[3:]
    spread = np.sqrt((x1.var(ddof=1) + x0.var(ddof=1)) / 2)
    after = w @ x0 / w.sum()
    assert row["bias_pct_before"] == pytest.approx(100 * (4 - 4) / spread)
    assert row["bias_pct_after"] == pytest.approx(100 * (4 - after) / spread)
    assert row["variance_ratio_before"] == pytest.approx(x1.var(ddof=1) / x0.var(ddof=1))
    assert row["variance_ratio_after"] == pytest.approx(
        x1.var(ddof=1) / (w @ (x0 - after) ** 2 / (w.sum() - 1))
    )
    pooled = (2 * x1.var(ddof=1) + w @ (x0 - after) ** 2) / (3 + 3 - 2)
    assert row["t_after"] == pytest.approx((4 - after) / np.sqrt(pooled * (1 / 3 + 1 / 3)))


def test_matching_balances_and_says_so(lalonde: pd.DataFrame) -> None:
    matching = match(lalonde, "treat", LALONDE, options={"method": "kernel"})
    before, after = matching.summary.loc["before"], matching.summary.loc["after"]
    assert before["pseudo_r2"] == pytest.approx(matching.model.pseudo_r2, rel=1e-10)
    assert after["pseudo_r2"] < 0.01 < before["pseudo_r2"]
    assert after["rubin_b"] < 25 < before["rubin_b"]
    assert after["mean_bias_pct"] < 5 < before["mean_bias_pct"]
    assert list(matching.balance.index)[2:4] == ["race=hispan", "race=white"]
    assert (
        "184 of 185 treated rows matched with 429 of 429 controls (epanechnikov kernel, "
        "bandwidth 0.06" in matching.note()
    )


def test_index_and_scaled_caliper(lalonde: pd.DataFrame) -> None:
    wide = match(
        lalonde, "treat", LALONDE, options={"on_index": True, "caliper": 0.2, "caliper_in_sd": True}
    )
    index = wide.model.index
    same = match(
        lalonde.assign(s=index),
        "treat",
        LALONDE,
        score="s",
        options={"caliper": 0.2 * float(index.std())},
    )
    pd.testing.assert_series_equal(wide.weights, same.weights)
    assert not wide.weights.equals(match(lalonde, "treat", LALONDE).weights)


def test_nearest_against_a_plain_search() -> None:
    draw = np.random.default_rng(7)
    treated, controls = np.round(draw.random(50), 2), np.round(draw.random(80), 2)
    distance = np.abs(treated[:, None] - controls)
    for k in (1, 3, 90):
        reach = np.sort(distance, axis=1)[:, min(k, 80) - 1]
        chosen = (distance <= reach[:, None]) & (distance <= 0.03)
        plain = chosen / np.maximum(chosen.sum(axis=1, keepdims=True), 1)
        np.testing.assert_allclose(
            nearest(treated, controls, k, 0.03, "average", None).toarray(), plain, atol=1e-15
        )
        first = nearest(treated, controls, k, 0.03, "first", np.arange(80)).toarray()
        for i in range(50):
            order = [
                j for j in np.lexsort([np.arange(80), distance[i]])[:k] if distance[i, j] <= 0.03
            ]
            assert np.flatnonzero(first[i]).tolist() == sorted(order)
    once = nearest_once(treated, controls, 1, None, True, (np.arange(50), np.arange(80))).toarray()
    assert (once.sum(axis=0) <= 1).all()
    assert (once.sum(axis=1) == 1).all()


def test_a_matching_is_a_table_of_its_balance() -> None:
    matching = match(panel(), "zone", ["x", "region"], options={"neighbours": 3})
    table, row = matching.tidy(), matching.glance().iloc[0]
    np.testing.assert_allclose(table["estimate"], matching.balance["bias_pct_after"] / 100)
    assert list(table["term"]) == list(matching.balance.index) and table["std_error"].isna().all()
    assert row["n_treated_matched"] == matching.counts()["treated_matched"]
    assert row["mean_bias_pct_after"] == matching.summary.loc["after", "mean_bias_pct"]
    assert match(small(), "d", score="p").tidy().empty


# --- PSM-DID
# --------------------------------------------------------------------------------------------------


def test_matching_first_takes_the_bias_out() -> None:
    frame = panel()
    naive = fixed_effects(frame, "y", ["did"], ["city", "year"], covariance={"cluster": ["city"]})
    assert naive.coefficients["did"] > 1.5
    for how, extra in (("base_period", {"base_period": 2014}), ("yearly", {}), ("pooled", {})):
        result = psm_did(
            frame,
            "y",
            "did",
            "city",
            "year",
            ["x"],
            controls=[],
            how=how,
            use="weights",
            options={"method": "kernel"},
            **extra,
        )
        assert abs(result.coefficients["did"] - 1) < 0.6 * (naive.coefficients["did"] - 1), how
        assert result.n + result.dropped.get("not matched", 0) == len(frame)
    assert (
        result.balance.loc[("pooled", "x"), "bias_pct_after"]
        < 10
        < result.balance.loc[("pooled", "x"), "bias_pct_before"]
    )


def test_psm_did_is_matching_then_regression() -> None:
    frame = panel()
    covariates = ["x", "z", "region"]
    pooled = psm_did(
        frame,
        "y",
        "did",
        "city",
        "year",
        covariates,
        controls=["z"],
        options={"neighbours": 3, "caliper": 0.05},
    )
    weights = match(
        frame, "zone", covariates, keys=["city", "year"], options={"neighbours": 3, "caliper": 0.05}
    ).weights
    for use, rows, weight in (
        ("rows", weights > 0, None),
        ("weights", weights > 0, "w"),
        ("support", pooled.matchings["pooled"].support, None),
    ):
        result = psm_did(
            frame,
            "y",
            "did",
            "city",
            "year",
            covariates,
            controls=["z"],
            options={"neighbours": 3, "caliper": 0.05},
            use=use,
        )
        again = fixed_effects(
            frame.assign(w=weights)[rows],
            "y",
            ["did", "z"],
            ["city", "year"],
            covariance={"cluster": ["city"]},
            weights=weight,
        )
        np.testing.assert_allclose(result.coefficients, again.coefficients.iloc[:2], rtol=1e-10)
        np.testing.assert_allclose(
            result.standard_errors, again.standard_errors.iloc[:2], rtol=1e-10
        )
    yearly = psm_did(frame, "y", "did", "city", "year", covariates, controls=["z"], how="yearly")
    assert list(yearly.matchings) == [str(year) for year in range(2011, 2019)]
    for year, matching in yearly.matchings.items():
        alone = match(frame[frame["year"] == int(year)], "zone", covariates, keys=["city", "year"])
        pd.testing.assert_series_equal(matching.weights, alone.weights)
        pd.testing.assert_series_equal(
            yearly.weights[matching.weights.index], matching.weights, check_names=False
        )
    based = psm_did(
        frame,
        "y",
        "did",
        "city",
        "year",
        covariates,
        controls=["z"],
        how="base_period",
        base_period=2014,
    )
    assert based.weights.groupby(frame["city"]).nunique().max() == 1


def test_notes_read_as_one_sentence() -> None:
    note = psm_did(
        panel(), "y", "did", "city", "year", ["x"], options=MatchOptions(neighbours=3)
    ).note()
    assert (
        "PSM-DID (pooled logit matching, 3 nearest neighbour(s) with replacement, ties: average"
        in note
    )
