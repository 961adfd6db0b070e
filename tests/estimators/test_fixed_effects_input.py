"""Fixed effects: what is left out or refused; order, types and units that change nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from analysis.estimators import fixed_effects

TREATED = ["treated", "x"]
THREE = ["city_code", "year", "industry"]


def test_order_extra_columns_and_types_change_nothing(city_panel: pd.DataFrame) -> None:
    plain = fixed_effects(city_panel, "y", ["treated", "x"], covariance={"cluster": ["city_code"]})
    other = city_panel.sample(frac=1, random_state=1).assign(
        note="text", treated=lambda f: f["treated"].astype("boolean"), spare=np.nan
    )
    before = other.copy(deep=True)
    shuffled = fixed_effects(other, "y", ["treated", "x"], covariance={"cluster": ["city_code"]})
    pd.testing.assert_frame_equal(shuffled.tidy(), plain.tidy(), check_exact=True)
    pd.testing.assert_frame_equal(shuffled.covariance, plain.covariance, check_exact=True)
    pd.testing.assert_frame_equal(other, before)
    assert list(shuffled.sample) == list(other.index)


def test_rows_left_out_are_counted_with_their_reason(city_panel: pd.DataFrame) -> None:
    spoiled = city_panel.astype({"treated": "Int64"}).reset_index(drop=True)
    spoiled.loc[0, "x"], spoiled.loc[1, "x"] = np.nan, -np.inf
    spoiled.loc[2, "treated"], spoiled.loc[3, "city_code"] = pd.NA, None
    result = fixed_effects(spoiled, "y", ["treated", "x"], covariance={"cluster": ["city_code"]})
    assert result.dropped == {
        "city_code missing": 1,
        "treated missing": 1,
        "x missing": 1,
        "x infinite": 1,
    }
    assert result.n == len(city_panel) - 4 == len(result.sample)
    clean = fixed_effects(
        city_panel.reset_index(drop=True).drop(index=[0, 1, 2, 3]),
        "y",
        ["treated", "x"],
        covariance={"cluster": ["city_code"]},
    )
    pd.testing.assert_frame_equal(result.tidy(), clean.tidy(), check_exact=True)
    assert "1 row (x infinite)" in result.note()


def test_duplicate_keys_are_named(city_panel: pd.DataFrame) -> None:
    doubled = pd.concat([city_panel, city_panel.iloc[[10]]])
    with pytest.raises(
        ValueError,
        match=r"1 row with the city_code and year of an earlier row \(city_code 1101, year 2013\)",
    ):
        fixed_effects(doubled, "y", ["x"])
    with pytest.raises(ValueError, match="with the city_code and year of an earlier row"):
        fixed_effects(doubled, "y", ["x"], ["city_code"], keys=["city_code", "year"])
    assert fixed_effects(doubled, "y", ["x"], ["city_code"]).n == len(doubled)


def test_singletons_stay_and_are_said(city_panel: pd.DataFrame) -> None:
    alone = pd.concat(
        [
            city_panel,
            pd.DataFrame(
                {"city_code": ["9999"], "year": [2010], "treated": [0], "x": [1.0], "y": [1.0]}
            ),
        ]
    )
    result = fixed_effects(alone, "y", ["treated", "x"])
    assert result.singletons == 1
    assert "kept although alone in a level of an effect: 1 row" in result.note()


@pytest.mark.parametrize(
    ("changes", "regressors", "message"),
    [
        (
            {"flat": 1.0},
            ["x", "flat"],
            "flat does not vary once the city_code and year effects are taken out",
        ),
        ({"trend": lambda f: f["year"] * 1.0}, ["x", "trend"], "trend does not vary"),
        ({"twice": lambda f: 2 * f["x"] + f["year"]}, ["x", "twice"], "is a combination of"),
        ({"y": lambda f: f["year"] * 1.0}, ["x"], "y does not vary"),
        ({"x": "text"}, ["x"], "column 'x' holds .* not numbers"),
        ({"x": np.nan}, ["x"], r"no row of 317 is complete \(left out: x missing: 317\)"),
        ({}, ["treatd"], "column 'treatd' is not in the frame. Nearest: treated"),
        ({}, ["x", "x"], "regressors must be different columns"),
        ({}, [], "at least one"),
    ],
)
def test_what_cannot_be_estimated_is_named(
    city_panel: pd.DataFrame, changes: dict, regressors: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fixed_effects(city_panel.assign(**changes), "y", regressors)


def test_too_few_rows_and_one_cluster(city_panel: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="4 complete rows cannot carry 2 regressors"):
        fixed_effects(city_panel.head(4), "y", ["treated", "x"])
    with pytest.raises(ValueError, match="one cluster only"):
        fixed_effects(
            city_panel.assign(country="CN"), "y", ["x"], covariance={"cluster": ["country"]}
        )


def test_weights_of_zero_are_left_out_and_negative_ones_refused(three: pd.DataFrame) -> None:
    zero = three["weight"].where(three["industry"] != 2, 0)
    result = fixed_effects(three.assign(weight=zero), "y", TREATED, THREE, weights="weight")
    assert result.dropped == {"weight zero": int((three["industry"] == 2).sum())}
    pd.testing.assert_frame_equal(
        result.tidy(),
        fixed_effects(three[three["industry"] != 2], "y", TREATED, THREE, weights="weight").tidy(),
    )
    with pytest.raises(
        ValueError, match="weight 'weight' is negative in 1 rows .the first: index 3."
    ):
        fixed_effects(
            three.assign(weight=three["weight"].where(three.index != 3, -1)),
            "y",
            TREATED,
            THREE,
            weights="weight",
        )
    with pytest.raises(ValueError, match="zero in every complete row"):
        fixed_effects(three.assign(weight=0), "y", TREATED, THREE, weights="weight")


def test_singletons_dropped_again_and_again(city_panel: pd.DataFrame) -> None:
    """9999 has one year; then 2030, which only 9999 and 1101 have, is 1101's alone. What is left is
    the panel without them.
    """
    extra = pd.DataFrame(
        {
            "city_code": ["9999", "1101"],
            "year": [2030, 2030],
            "treated": [0, 1],
            "x": [1.0, 2.0],
            "y": [1.0, 0.0],
        }
    )
    padded = pd.concat([city_panel, extra])
    kept, dropped = (
        fixed_effects(padded, "y", TREATED, covariance={"cluster": ["city_code"]}, singletons=how)
        for how in ("keep", "drop")
    )
    assert (kept.n, kept.singletons) == (len(city_panel) + 2, 1)
    assert (dropped.n, dropped.singletons) == (len(city_panel), 0)
    assert dropped.dropped == {"alone in a level of an effect": 2}
    pd.testing.assert_frame_equal(
        dropped.tidy(),
        fixed_effects(city_panel, "y", TREATED, covariance={"cluster": ["city_code"]}).tidy(),
        check_exact=True,
    )
    np.testing.assert_allclose(
        kept.coefficients[TREATED],
        fixed_effects(padded[padded["city_code"] != "9999"], "y", TREATED).coefficients[TREATED],
    )
    with pytest.raises(
        ValueError, match="alone in a level of an effect, at once or once others are left out"
    ):
        fixed_effects(
            city_panel.drop_duplicates("city_code"), "y", TREATED, ["city_code"], singletons="drop"
        )


def test_collinear_regressors_dropped_on_request(three: pd.DataFrame) -> None:
    frame = three.assign(
        flat=3.0,
        city_size=three["province"] * 1e6,
        twice=2 * three["x"] + three["year"],
        sum=three["treated"] - three["x"],
    )
    result = fixed_effects(
        frame,
        "y",
        ["flat", "x", "city_size", "twice", "treated", "sum"],
        THREE,
        covariance={"cluster": ["city_code"]},
        collinear="drop",
    )
    assert result.regressors == ("x", "treated")
    assert list(result.omitted) == ["flat", "city_size", "twice", "sum"]
    assert result.omitted["twice"] == "a combination of x, treated"
    assert (
        "regressors left out: flat (does not vary once the city_code and year and industry effects"
        " are taken out)" in result.note()
    )
    plain = fixed_effects(
        three, "y", ["x", "treated"], THREE, covariance={"cluster": ["city_code"]}
    )
    np.testing.assert_allclose(result.covariance, plain.covariance, rtol=1e-10)
    first = fixed_effects(frame, "y", ["flat", "x"], collinear="drop", constant="first_period")
    np.testing.assert_allclose(
        first.coefficients,
        fixed_effects(three, "y", ["x"], constant="first_period").coefficients,
        rtol=1e-10,
    )
    with pytest.raises(ValueError, match="no regressor is left: flat does not vary"):
        fixed_effects(frame, "y", ["flat", "city_size"], THREE, collinear="drop")
    with pytest.raises(ValueError, match="y does not vary"):
        fixed_effects(frame.assign(y=frame["year"] * 1.0), "y", ["x"], THREE, collinear="drop")
    almost = frame.assign(near=frame["x"] + 1e-5 * three["y"])  # hardly its own, but its own
    assert fixed_effects(almost, "y", ["x", "near"], THREE).regressors == ("x", "near")


def test_units_of_the_columns_do_not_matter(three: pd.DataFrame) -> None:
    plain = fixed_effects(three, "y", TREATED, THREE, covariance={"cluster": ["city_code"]})
    scaled = fixed_effects(
        three.assign(x=three["x"] * 1e9 + 1e12, treated=three["treated"] * 1e-9),
        "y",
        TREATED,
        THREE,
        covariance={"cluster": ["city_code"]},
    )
    np.testing.assert_allclose(scaled.t_statistics[TREATED], plain.t_statistics[TREATED], rtol=1e-9)


@pytest.mark.parametrize("cast", [str, "category", "Int64", "float64", object])
def test_labels_of_any_type_give_the_same_numbers(three: pd.DataFrame, cast: object) -> None:
    plain = fixed_effects(
        three.assign(city_code=three["city_code"].astype(int)),
        "y",
        TREATED,
        THREE,
        covariance={"cluster": ["city_code", "industry"]},
    )
    other = three.assign(**{name: three[name].astype(int).astype(cast) for name in THREE})
    result = fixed_effects(
        other, "y", TREATED, THREE, covariance={"cluster": ["city_code", "industry"]}
    )
    pd.testing.assert_frame_equal(result.covariance, plain.covariance, check_exact=True)


def test_float32_input_is_worked_on_in_float64(three: pd.DataFrame) -> None:
    narrow = three.astype({"x": "float32", "y": "float32"})
    wide = narrow.astype({"x": "float64", "y": "float64"})
    pd.testing.assert_frame_equal(
        fixed_effects(narrow, "y", TREATED, THREE).covariance,
        fixed_effects(wide, "y", TREATED, THREE).covariance,
        check_exact=True,
    )


def test_rows_that_share_all_levels_may_come_in_any_order(three: pd.DataFrame) -> None:
    plain = fixed_effects(
        three, "y", TREATED, ["province"], weights="weight", covariance={"cluster": ["industry"]}
    )
    for seed in range(3):
        shuffled = three.sample(frac=1, random_state=seed).set_index("year", drop=False)
        result = fixed_effects(
            shuffled,
            "y",
            TREATED,
            ["province"],
            weights="weight",
            covariance={"cluster": ["industry"]},
        )
        pd.testing.assert_frame_equal(result.covariance, plain.covariance, check_exact=True)
        assert list(result.sample) == list(shuffled.index)


def test_the_same_number_in_every_process() -> None:
    program = (
        "import numpy as np, pandas as pd\nfrom analysis.estimators import fixed_effects\ndraw ="
        " np.random.default_rng(0)\nf = pd.DataFrame({'a': draw.integers(0, 20, 300).astype(str),"
        " 'b': draw.integers(0, 9, 300).astype(str), 'c': draw.integers(0, 5,"
        " 300).astype(str)})\nf['x'], f['y'] = draw.normal(size=(2, 300))\nprint([v.hex() for v in"
        " fixed_effects(f, 'y', ['x'], ['a', 'b', 'c'], covariance={'cluster': ['a', 'c']},"
        " small='fixest_nested').standard_errors])\n"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"small": "stata"}, "small = 'stata' is not known"),
        ({"singletons": "maybe"}, "singletons = 'maybe'"),
        ({"collinear": "ignore"}, "collinear = 'ignore'"),
        ({"effect_count": "none"}, "effect_count = 'none'"),
        (
            {"covariance": {"cluster": ["city_code", "year", "industry"]}},
            "by one column or two different ones",
        ),
        ({"covariance": "cluster"}, "covariance = 'cluster' is not known"),
        ({"covariance": {"clusters": ["city_code"]}}, "Nearest: cluster"),
        ({"effects": ["year", "year"]}, "effects must be different columns"),
        (
            {"effects": THREE, "constant": "first_period"},
            "'first_period' is for two effects; there are 3",
        ),
        (
            {"effects": ["city_code#yaer", "year"]},
            "column 'yaer' is not in the frame. Nearest: year",
        ),
        ({"weights": "city_code"}, "column 'city_code' holds .* not numbers"),
        ({"keys": ["year"]}, "with the year of an earlier row"),
    ],
)
def test_calls_that_cannot_be_meant_are_refused(
    three: pd.DataFrame, options: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fixed_effects(three, "y", TREATED, **options)


def test_years_that_are_not_comparable_have_no_first_one() -> None:
    """Two groups of cities without a common year: levels of the second effect can be compared
    inside a group only.
    """
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "city_code": np.repeat(range(10), 4),
            "year": [*np.tile(range(4), 5), *np.tile(range(4, 8), 5)],
        }
    )
    frame["x"], frame["y"] = draw.normal(size=(2, 40))
    assert fixed_effects(frame, "y", ["x"]).counted == 1 + 10 + 8 - 2
    with pytest.raises(ValueError, match="the first level of year is not comparable"):
        fixed_effects(frame, "y", ["x"], constant="first_period")
