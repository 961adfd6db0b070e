"""Heckman and Tobit: input that could mislead (rows left out, order, types, units), what is
refused, and what is warned of.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from analysis.estimators import HeckmanResult, SeparationError, binary_choice, heckman, tobit
from analysis.estimators.limited.likelihoods import (
    Maximum,
)
from analysis.estimators.limited.selection import at_the_edge


def test_a_missing_outcome_says_not_selected(cities: pd.DataFrame) -> None:
    by_column = heckman(
        cities.assign(wage=cities["wage"].fillna(-999)),
        "wage",
        ["x"],
        ["x", "z"],
        selected="chosen",
        estimator="ml",
    )
    by_gap = heckman(cities, "wage", ["x"], ["x", "z"], estimator="ml")
    pd.testing.assert_frame_equal(by_column.tidy(), by_gap.tidy(), check_exact=True)
    assert by_gap.selected == int(cities["chosen"].sum())


def test_order_ids_and_types_change_nothing(cities: pd.DataFrame) -> None:
    cities = cities.astype({"x": "float32"})
    clustered = {"covariance": {"cluster": ["city_code"]}}

    def both(frame: pd.DataFrame) -> tuple:
        chosen = heckman(
            frame, "wage", ["x"], ["x", "z"], selected="chosen", estimator="ml", **clustered
        )
        return chosen, tobit(frame, "cut", ["x", "z"], **clustered)

    plain = both(cities)
    numbers = cities.assign(
        city_code=cities["city_code"].astype(int) * 7 % 1009,
        x=cities["x"].astype(float),
        chosen=cities["chosen"] == 1,
    )
    shuffled = cities.sample(frac=1, random_state=2).assign(
        note="text",
        city_code=lambda f: pd.Categorical(f["city_code"], sorted(set(f["city_code"]))[::-1]),
    )
    for other in (numbers, shuffled, cities.set_index(np.repeat(3, len(cities)))):
        before = other.copy(deep=True)
        again = both(other)
        for one, two in zip(plain, again, strict=True):
            pd.testing.assert_frame_equal(one.tidy(), two.tidy(), check_exact=True)
            pd.testing.assert_frame_equal(one.covariance, two.covariance, check_exact=True)
        pd.testing.assert_frame_equal(other, before)
        assert list(again[0].sample) == list(other.index)


def test_the_hash_seed_changes_nothing() -> None:
    code = (
        "import numpy as np, pandas as pd\nfrom analysis.estimators import heckman, tobit\nd ="
        " np.random.default_rng(0); f = pd.DataFrame(d.normal(size=(400, 3)), columns=['x', 'z',"
        " 'y']); f['c'] = [f'city {i % 19}' for i in range(400)]\nf['s'] = f['z'] +"
        " d.normal(size=400) > 0\nk = {'covariance': {'cluster': ['c']}}\nr, t = heckman(f, 'y',"
        " ['x'], ['x', 'z'], selected='s', **k), tobit(f, 'y', ['x', 'z'], **k)\nprint([v.hex() for"
        " v in [*r.standard_errors, *t.standard_errors]])\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "99")
    }
    assert len(printed) == 1


def test_rows_left_out_are_counted_with_their_reason(cities: pd.DataFrame) -> None:
    chosen, other = cities.index[cities["chosen"] == 1], cities.index[cities["chosen"] == 0]
    spoiled = cities.astype({"chosen": "Int64"})
    spoiled["only_outcome"] = spoiled["x"] * 2 + spoiled["z"] ** 2
    (
        spoiled.loc[chosen[0], "wage"],
        spoiled.loc[chosen[1], "only_outcome"],
        spoiled.loc[other[0], "only_outcome"],
    ) = (
        np.nan,
        np.nan,
        np.nan,
    )
    (
        spoiled.loc[other[1], "z"],
        spoiled.loc[chosen[2], "chosen"],
        spoiled.loc[chosen[3], "city_code"],
    ) = (
        np.inf,
        pd.NA,
        None,
    )
    result = heckman(
        spoiled,
        "wage",
        ["only_outcome"],
        ["x", "z"],
        selected="chosen",
        covariance={"cluster": ["city_code"]},
    )
    assert result.dropped == {
        "city_code missing": 1,
        "chosen missing": 1,
        "z infinite": 1,
        "wage missing": 1,
        "only_outcome missing": 1,
    }
    assert result.n == len(cities) - 5 == len(result.sample)
    assert other[0] in result.sample
    cut = tobit(spoiled, "cut", ["x", "only_outcome"], covariance={"cluster": ["city_code"]})
    assert cut.dropped == {"city_code missing": 1, "only_outcome missing": 2}


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        (
            {"twice": lambda f: 2 * f["x"] + 1},
            {"regressors": ["x", "twice"]},
            "is constant, zero or a combination of others among the regressors",
        ),
        ({"flat": 1.0}, {"selection": ["z", "flat"]}, "among the selection regressors"),
        ({"chosen": 1}, {}, "433 of 433 complete rows are selected"),
        ({"chosen": 2}, {}, "'chosen' holds other values than 0 and 1"),
        (
            {"chosen": lambda f: (f["z"] > 0).astype(int), "wage": lambda f: f["x"] + f["z"]},
            {},
            "selection equation: z predicts the outcome perfectly in 7",
        ),
        ({"z": "text"}, {}, "column 'z' holds .* not numbers"),
        ({}, {"selection": ["zz"]}, "column 'zz' is not in the frame. Nearest: z"),
        ({}, {"regressors": ["chosen"]}, "cannot be a variable of the equations too"),
        ({}, {"regressors": "x"}, r"regressors is a list of column names, such as \['x'\]"),
        ({}, {"estimator": "gmm"}, "estimator = 'gmm' is not known. There are two_step, ml"),
        (
            {},
            {"keys": ["city_code"]},
            r"640 rows with the city_code of an earlier row \(city_code 1100",
        ),
        (
            {"country": "CN"},
            {"covariance": {"cluster": ["country"]}},
            "one level of 'country' only",
        ),
        ({}, {"covariance": {"cluster": ["city_code", "year"]}}, "clustered by one column"),
        ({}, {"small": "HC1"}, "small = 'HC1' is not known"),
    ],
)
def test_what_heckman_cannot_estimate_is_named(
    cities: pd.DataFrame, changes: dict, options: dict, message: str
) -> None:
    call = {"regressors": ["x"], "selection": ["x", "z"]} | options
    with pytest.raises(ValueError, match=message):
        heckman(
            cities.assign(**changes),
            "wage",
            call.pop("regressors"),
            call.pop("selection"),
            selected="chosen",
            **call,
        )


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({}, {"left": 4, "right": 0}, "the left limit lies below the right one"),
        ({}, {"left": 90}, "0 rows lie between the limits"),
        (
            {"flat": 3.0},
            {"regressors": ["x", "flat"]},
            "flat is constant, zero or a combination|constant is constant",
        ),
        ({"x": np.nan}, {}, r"no row of 720 is complete \(left out: x missing: 720\)"),
        (
            {"only_cut": lambda f: (f["cut"] <= 0) * 1.0},
            {"regressors": ["x", "only_cut"]},
            "no maximum.*zero wherever the outcome lies between the limits",
        ),
        (
            {"same": lambda f: f["cut"] * 1.0},
            {"regressors": ["same"], "left": None},
            "explain the outcome without error",
        ),
    ],
)
def test_what_tobit_cannot_estimate_is_named(
    cities: pd.DataFrame, changes: dict, options: dict, message: str
) -> None:
    regressors = options.pop("regressors", ["x"]) if "regressors" in options else ["x"]
    with pytest.raises(ValueError, match=message):
        tobit(cities.assign(**changes), "cut", regressors, **options)


@pytest.fixture(scope="module")
def scattered() -> pd.DataFrame:
    """900 rows: an outcome cut at zero, and one seen where selection is positive (rho = 0.5)."""
    draw = np.random.default_rng(5)
    n = 900
    z, x = draw.normal(size=n), draw.normal(size=n)
    e = draw.normal(size=n)
    v = 0.5 * e + np.sqrt(0.75) * draw.normal(size=n)
    cut = pd.Series(2 * z + draw.normal(size=n) - 0.5).clip(lower=0)
    wage = pd.Series(1 + 2 * z + e).where(0.3 + z + x + v > 0)
    return pd.DataFrame({"cut": cut, "wage": wage, "z": z, "x": x})


@pytest.mark.parametrize("unit", [1e-9, 1e-4, 1.0, 1e4, 1e6, 1e9, 1e12])
def test_the_unit_of_the_outcome_is_the_unit_of_its_coefficients(
    scattered: pd.DataFrame, unit: float
) -> None:
    frame = scattered.assign(cut=scattered["cut"] * unit, wage=scattered["wage"] * unit)
    cut, plain = tobit(frame, "cut", ["z"]), tobit(scattered, "cut", ["z"])
    assert cut.coefficients["z"] / unit == pytest.approx(2.103647, abs=5e-7)
    assert cut.sigma / unit == pytest.approx(plain.sigma, rel=1e-12)
    seen = int((scattered["cut"] > 0).sum())
    assert cut.log_likelihood == pytest.approx(
        plain.log_likelihood - seen * np.log(unit), rel=1e-12
    )
    ml, reference = (
        heckman(each, "wage", ["z"], ["z", "x"], estimator="ml") for each in (frame, scattered)
    )
    assert ml.coefficients["z"] / unit == pytest.approx(2.137194, abs=5e-7)
    assert ml.derived.loc["rho", "coefficient"] == pytest.approx(
        reference.derived.loc["rho", "coefficient"], rel=1e-11
    )
    for one, other in ((cut, plain), (ml, reference)):
        np.testing.assert_allclose(
            one.standard_errors["z"] / unit, other.standard_errors["z"], rtol=1e-11
        )
        np.testing.assert_allclose(
            one.standard_errors.iloc[-1], other.standard_errors.iloc[-1], rtol=1e-11
        )
        assert one.tests["wald"].statistic == pytest.approx(
            other.tests["wald"].statistic, rel=1e-10
        )


@pytest.mark.parametrize("covariance", ["iid", "robust"])
def test_the_units_of_the_regressors_change_their_coefficients_only(
    scattered: pd.DataFrame, covariance: str
) -> None:
    """A regressor in 1e-9 of its unit and far from zero, as money is, and another in 1e12."""
    frame = scattered.assign(z=scattered["z"] * 1e9 + 1e13, x=scattered["x"] * 1e-12)
    for estimator in ("two_step", "ml"):
        one, other = (
            heckman(each, "wage", ["z"], ["z", "x"], estimator=estimator, covariance=covariance)
            for each in (frame, scattered)
        )
        for term, factor in (("z", 1e9), ("selection: z", 1e9), ("selection: x", 1e-12)):
            assert one.coefficients[term] * factor == pytest.approx(
                other.coefficients[term], rel=1e-9
            ), term
            assert one.standard_errors[term] * factor == pytest.approx(
                other.standard_errors[term], rel=1e-7
            ), term
    one, other = (
        tobit(frame, "cut", ["z", "x"], covariance=covariance),
        tobit(scattered, "cut", ["z", "x"], covariance=covariance),
    )
    assert one.coefficients["z"] * 1e9 == pytest.approx(other.coefficients["z"], rel=1e-10)
    assert one.coefficients["x"] * 1e-12 == pytest.approx(other.coefficients["x"], rel=1e-9)
    assert one.tests["wald"].statistic == pytest.approx(other.tests["wald"].statistic, rel=1e-7)


def kinds(result: HeckmanResult) -> list[str]:
    return [warning.kind for warning in result.warnings]


def test_rows_outside_the_mask_do_not_matter(cities: pd.DataFrame) -> None:
    late = cities["year"] > 2011
    spoiled = cities.assign(x=cities["x"].where(late, np.inf))
    spoiled["chosen"] = cities["chosen"].where(late, 7)
    for call in (
        lambda frame, **where: tobit(frame, "cut", ["x", "z"], **where),
        lambda f, **where: heckman(f, "wage", ["x"], ["x", "z"], selected="chosen", **where),
        lambda frame, **where: binary_choice(frame, "yes", ["x", "z"], **where),
    ):
        both = (spoiled, cities[late])
        frames = [frame.assign(yes=frame["wage"].notna()) for frame in both]
        here, alone = call(frames[0], where=late), call(frames[1])
        pd.testing.assert_frame_equal(here.tidy(), alone.tidy(), check_exact=True)
        assert here.dropped == {"outside where": int((~late).sum())}


def test_a_key_may_be_a_regressor_of_the_outcome(cities: pd.DataFrame) -> None:
    """What unselected rows hold in the outcome equation is masked, but not what tells
    them apart.
    """
    by_year = {"keys": ["city_code", "year"], "selected": "chosen"}
    result = heckman(cities, "wage", ["x", "year"], ["x", "z"], **by_year)
    assert result.n == len(cities)
    with pytest.raises(ValueError, match="1 row with the city_code and year of an earlier row"):
        heckman(pd.concat([cities, cities.tail(1)]), "wage", ["x", "year"], ["x", "z"], **by_year)


def test_perfect_predictors_are_named_with_their_rows(cities: pd.DataFrame) -> None:
    frame = cities.assign(yes=(cities["z"] + cities["wage"].fillna(0) > 0.5).astype(int))
    never = (cities["city_code"] < "1105").astype(int)
    frame = frame.assign(never=never, yes=frame["yes"].where(never == 0, 0), flat=never * 0)
    for link in ("logit", "probit"):
        with pytest.raises(SeparationError, match="^never predicts .* perfectly in 45 rows"):
            binary_choice(frame, "yes", ["x", "never", "z"], link)
    with pytest.raises(ValueError, match="^selection equation: never predicts .* in 45 rows"):
        heckman(frame, "wage", ["x"], ["x", "z", "never"], selected="yes")


def test_rows_without_weight_are_named(cities: pd.DataFrame) -> None:
    frame = cities.assign(yes=cities["chosen"], n=np.arange(len(cities)) % 4)
    result = binary_choice(frame, "yes", ["x"], weights="n")
    assert result.dropped == {"n zero": 180} and result.n == 540


def test_what_changes_the_reading_is_warned_of(cities: pd.DataFrame) -> None:
    own = heckman(cities, "wage", ["x"], ["x", "z"])
    assert kinds(own) == []
    assert "no_exclusion" in kinds(heckman(cities, "wage", ["x", "z"], ["x", "z"]))
    few = {"covariance": {"cluster": ["year"]}}
    assert kinds(heckman(cities, "wage", ["x"], ["x", "z"], **few)) == ["few_clusters"]
    uncut = tobit(cities, "cut", ["x"], left=-5, **few)
    assert kinds(uncut) == ["few_clusters", "no_censoring"] and "least squares" in str(uncut)
    assert kinds(tobit(cities, "cut", ["x"])) == []


def test_a_correlation_beyond_its_limit_is_warned_of() -> None:
    """The error of selection is that of the outcome: rho is one, and its estimate may pass it."""
    draw = np.random.default_rng(7)
    x, z, v = draw.normal(size=(3, 400))
    frame = pd.DataFrame({"x": x, "z": z, "y": np.where(z + v > 0, x + 3 * v, np.nan)})
    result = heckman(frame, "y", ["x"], ["z"])
    assert result.derived.loc["rho", "coefficient"] > 1 and kinds(result) == ["boundary"]
    assert "comes out as 1." in str(result)
    edge = Maximum(np.array([0.0, np.arctanh(0.9999)]), 0.0, np.eye(2), np.eye(2), 0.0)
    assert at_the_edge(edge)[0].kind == "boundary" and "0.99990" in str(at_the_edge(edge)[0])
    inside = Maximum(np.array([0.0, 1.0]), 0.0, np.eye(2), np.eye(2), 0.0)
    assert at_the_edge(inside) == ()
