"""Dynamic panel GMM against sums written out, and the ways to write lags, groups and conventions;
test_dynamic_gmm_golden has other programs' numbers, test_dynamic_gmm_input input that could
mislead.
"""

from __future__ import annotations

import pytest

from analysis.estimators.gmm import GMM, IV, Lag, dynamic_gmm
from tests.estimators.dynamic_gmm_cases import CALL, by_hand, same, world


def test_lags_can_be_written_in_several_ways() -> None:
    frame = world()
    base = dynamic_gmm(
        frame, "y", ["L(1/2).y", "x", "L.x"], GMM("L.y L.x", lags=(1, 3)), CALL["iv"]
    )
    assert list(base.coefficients.index) == ["L1.y", "L2.y", "x", "L1.x", "constant"]
    same(
        base,
        dynamic_gmm(frame, "y", "L(1 2).y L(0/1).x", GMM(["L.y", "L.x"], lags="1 3"), CALL["iv"]),
    )
    same(
        base,
        dynamic_gmm(
            frame,
            "y",
            [Lag("y", 1, 2), Lag("x", 0, 1)],
            {"variables": ["L.y", "L.x"], "lags": [1, 3]},
            CALL["iv"],
        ),
    )
    openly = dynamic_gmm(frame, "y", ["L.y"], GMM("y", lags="2..."), IV("z"))
    same(openly, dynamic_gmm(frame, "y", ["L.y"], GMM("y", lags=(2, None)), IV("z")))
    same(
        openly,
        dynamic_gmm(
            frame.assign(year=frame["year"] * 5),
            "y",
            ["L.y"],
            GMM("y", lags="2..."),
            IV("z"),
            time_step=5,
        ),
    )
    assert (
        "L1D.x"
        in dynamic_gmm(frame, "y", ["L.y", "LD.x"], GMM("L.y"), IV("z LD.x")).coefficients.index
    )


def test_split_and_named_groups_are_tested_apart() -> None:
    frame = world()
    gmm = [GMM("L.y", collapse=True, split=True), GMM("x", collapse=True, name="predetermined")]
    result = dynamic_gmm(frame, "y", ["L.y", "x", "z"], gmm, IV("z", name="outside"))
    own = "GMM(L1.y; lags 1..., collapsed)"
    assert set(result.difference_tests.index) == {
        "GMM instruments for levels",
        f"{own} (difference)",
        f"{own} (level)",
        "predetermined",
        "outside",
    }
    assert result.difference_tests.loc[
        ["GMM instruments for levels", f"{own} (level)", "outside"], "df"
    ].tolist() == [2, 1, 1]
    for _, row in result.difference_tests.iterrows():
        assert row["excluding"] + row["difference"] == pytest.approx(
            result.tests["hansen"].statistic
        )
    same(
        result,
        dynamic_gmm(
            frame,
            "y",
            ["L.y", "x", "z"],
            [GMM("L.y", collapse=True), GMM("x", collapse=True)],
            IV("z"),
        ),
        rel=1e-9,
    )


def test_the_note_says_what_was_done() -> None:
    result = dynamic_gmm(world(), "y", ["L.y", "x", "z"], [GMM("L.y", collapse=True)], IV("z"))
    note = result.note()
    for words in (
        "two-step system GMM of y",
        "Windmeijer SE clustered by city_code",
        f"{result.instruments_n} instruments collapsed",
        "59 city_code",
        "2005-2011",
    ):
        assert words in note
    assert "AR(1)" in str(result) and "L1.y" in set(result.tidy()["term"])


@pytest.mark.parametrize("h", [1, 3])
def test_sums_over_cities_written_out(h: int) -> None:
    frame = world()
    first, second = by_hand(frame, str(h))
    for steps, expected in ((1, first), (2, second)):
        result = dynamic_gmm(
            frame,
            "y",
            ["L.y", "x"],
            [GMM("L.y", collapse=True), GMM("x", collapse=True)],
            steps=steps,
            weighting=h,
        )
        assert result.coefficients.tolist() == pytest.approx(expected.tolist(), rel=1e-8)


def test_h1_tests_level_residuals_and_conventions_move_sargan_only() -> None:
    frame = world()
    base = {"gmm": GMM("L.y", collapse=True), "iv": IV("z"), "steps": 1, "small": "xtabond2"}
    published, current = (
        dynamic_gmm(frame, "y", ["L.y", "z"], conventions=c, **base)
        for c in ("published", "xtabond2_3.7")
    )
    assert current.tests["sargan"].statistic * current.n == pytest.approx(
        published.tests["sargan"].statistic * current.transformed_n
    )
    n, k = published.n, 3
    assert (published.standard_errors / current.standard_errors).pow(2).tolist() == pytest.approx(
        [n / (n - k + 1) * (n - k) / (n - 1)] * 3
    )
    same_h1 = [
        dynamic_gmm(frame, "y", ["L.y", "z"], conventions=c, weighting=1, **base)
        .tests["sargan"]
        .statistic
        for c in ("published", "xtabond2_3.7")
    ]
    assert same_h1[0] == same_h1[1]
    levels = dynamic_gmm(frame, "y", ["L.y", "z"], ar_equation="level", ar_orders=3, **base)
    assert {"ar1", "ar2", "ar3"} <= set(levels.tests) and levels.tests[
        "ar1"
    ].statistic != published.tests["ar1"].statistic
