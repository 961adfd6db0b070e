"""Instrumental variables against definitions, and with input that could mislead;
test_instrumental_golden has other programs' numbers.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.core.effects import Effects
from analysis.estimators.core.groups import numbered
from analysis.estimators.iv import instrumental_variables


@pytest.fixture
def panel() -> pd.DataFrame:
    """60 cities, 8 years, 5 sectors by city; two endogenous regressors, three instruments; effects
    of all kinds; with gaps.
    """
    draw = np.random.default_rng(11)
    city, year = (
        axis.ravel() for axis in np.meshgrid(np.arange(60), np.arange(2010, 2018), indexing="ij")
    )
    n = len(city)
    frame = pd.DataFrame(
        {"city_code": [f"{1100 + c}" for c in city], "year": year, "sector": (city * 7 + year) % 5}
    )
    z, shock = draw.normal(size=(n, 3)), draw.normal(size=n)
    frame[["z1", "z2", "z3"]] = z
    frame["w"] = draw.normal(size=n) + 0.05 * city
    frame["x1"] = z @ [0.8, 0.4, 0.1] + 0.7 * shock + 0.02 * city + draw.normal(size=n)
    frame["x2"] = z @ [-0.2, 0.7, 0.6] - 0.4 * shock + 0.1 * (year - 2010) + draw.normal(size=n)
    frame["y"] = (
        1.5 * frame["x1"]
        - 0.7 * frame["x2"]
        + 0.3 * frame["w"]
        + 0.04 * city
        + 0.1 * (year - 2010)
        + shock
        + 0.3 * draw.normal(size=n)
    )
    frame["weight"] = draw.integers(1, 5, size=n)
    return frame.drop(index=frame.index[[3, 50, 51, 200, 333]]).reset_index(drop=True)


@pytest.mark.parametrize(
    "options",
    [
        {"covariance": "robust"},
        {},
        {"covariance": "robust", "weights": "weight"},
        {"covariance": {"cluster": ["sector"]}, "estimator": "liml"},
    ],
)
def test_absorbed_effects_equal_dummies(panel: pd.DataFrame, options: dict) -> None:
    effects = ["city_code", "year", "sector"]
    dummies = pd.get_dummies(panel[effects].astype(str), dtype=float)
    kept = [name for name in dummies if name not in ("city_code_1100", "year_2010", "sector_0")]
    wide = pd.concat([panel, dummies[kept]], axis=1)
    absorbed = instrumental_variables(
        panel, "y", ["x1"], ["z1", "z2"], ["w"], effects, small="sss", **options
    )
    explicit = instrumental_variables(
        wide, "y", ["x1"], ["z1", "z2"], ["w", *kept], small="sss", **options
    )
    np.testing.assert_allclose(absorbed.coefficients, explicit.coefficients[["x1", "w"]], rtol=1e-9)
    nested = isinstance(
        options.get("covariance"), dict
    )  # the effect that is the cluster is not counted among what is absorbed, its dummies are
    factor = (absorbed.df_residual / explicit.df_residual) if nested else 1.0
    np.testing.assert_allclose(
        absorbed.covariance * factor, explicit.covariance.loc[["x1", "w"], ["x1", "w"]], rtol=1e-8
    )
    assert absorbed.rss == pytest.approx(explicit.rss, rel=1e-10)
    assert absorbed.df_residual - explicit.df_residual == (4 if nested else 0)
    if not nested:
        for key in ("anderson_rubin_f", "cragg_donald_f", "wu_hausman_f"):
            assert absorbed.tests[key].statistic == pytest.approx(
                explicit.tests[key].statistic, rel=1e-8
            ), key
        assert np.array(absorbed.confidence_set.pieces) == pytest.approx(
            np.array(explicit.confidence_set.pieces), rel=1e-7
        )


def test_absorbing_leaves_nothing_of_the_effects() -> None:
    draw = np.random.default_rng(2)
    effects = [pd.factorize(draw.integers(0, size, 400))[0] for size in (60, 40, 30, 7)]
    weights = draw.uniform(0.1, 5, 400)
    groups = [numbered(codes) for codes in effects]
    within = Effects(groups, weights).out(draw.normal(size=(400, 3)))
    for codes in effects:
        sums = np.zeros((codes.max() + 1, 3))
        np.add.at(sums, codes, within * weights[:, None])
        assert np.abs(sums).max() < 1e-11
    dummies = np.hstack([np.eye(codes.max() + 1)[codes] for codes in effects])
    assert Effects(groups).cost() == np.linalg.matrix_rank(dummies)
    assert Effects(groups[:2]).cost() == np.linalg.matrix_rank(
        dummies[:, : effects[0].max() + effects[1].max() + 2]
    )
    assert Effects(groups[:1]).cost([numbered(effects[0] % 3)]) == 1


def test_estimators_agree_where_they_must(panel: pd.DataFrame) -> None:
    just = (panel, "y", ["x1", "x2"], ["z1", "z3"], ["w"])
    base = instrumental_variables(*just, covariance="robust")
    for estimator in ("liml", "gmm"):
        np.testing.assert_allclose(
            instrumental_variables(*just, covariance="robust", estimator=estimator).coefficients,
            base.coefficients,
            rtol=1e-9,
        )
    over = (panel, "y", ["x1", "x2"], ["z1", "z2", "z3"], ["w"])
    np.testing.assert_allclose(
        instrumental_variables(*over, estimator="gmm").covariance,
        instrumental_variables(*over).covariance,
        rtol=1e-9,
    )
    liml = instrumental_variables(*over, estimator="liml")
    same = instrumental_variables(*over, estimator="k_class", kappa=liml.kappa)
    np.testing.assert_allclose(same.covariance, liml.covariance, rtol=1e-9)
    fuller = instrumental_variables(*over, estimator="fuller", fuller=4)
    assert fuller.kappa == pytest.approx(liml.kappa - 4 / (len(panel) - 5))


def test_frequency_weights_equal_repeated_rows(panel: pd.DataFrame) -> None:
    repeated = panel.loc[panel.index.repeat(panel["weight"])]
    for options in (
        {},
        {"covariance": "robust", "small": "sss"},
        {"covariance": {"cluster": ["city_code"]}, "estimator": "gmm"},
    ):
        weighted = instrumental_variables(
            panel,
            "y",
            ["x1"],
            ["z1", "z2"],
            ["w"],
            weights="weight",
            weight_kind="frequency",
            **options,
        )
        longer = instrumental_variables(repeated, "y", ["x1"], ["z1", "z2"], ["w"], **options)
        np.testing.assert_allclose(weighted.covariance, longer.covariance, rtol=1e-9)
        for key, test in longer.tests.items():
            assert weighted.tests[key].statistic == pytest.approx(test.statistic, rel=1e-8), key


def test_a_known_truth_is_recovered(panel: pd.DataFrame) -> None:
    for estimator in ("2sls", "liml", "gmm"):
        call = (panel, "y", ["x1", "x2"], ["z1", "z2", "z3"], ["w"], ["city_code", "year"])
        result = instrumental_variables(
            *call, covariance={"cluster": ["city_code"]}, estimator=estimator
        )
        for term, truth in (("x1", 1.5), ("x2", -0.7), ("w", 0.3)):
            assert abs(result.coefficients[term] - truth) < 3 * result.standard_errors[term] < 0.5
        assert (
            result.anderson_rubin.tests([1.5, -0.7])["anderson_rubin_f"].p
            > 0.05
            > result.tests["anderson_rubin_f"].p
        )
        assert result.confidence_set is None
        assert (
            "x1, x2 instrumented by z1, z2, z3, city_code and year effects absorbed"
            in result.note()
        )
        assert "clustered by city_code (60 city_code clusters" in result.note()


def test_wu_hausman_of_one_of_two_equals_the_augmented_equation(panel: pd.DataFrame) -> None:
    result = instrumental_variables(
        panel,
        "y",
        ["x1", "x2"],
        ["z1", "z2", "z3"],
        ["w"],
        covariance="robust",
        test_endogeneity=["x2"],
    )
    z = np.column_stack([panel[["z1", "z2", "z3", "w"]], np.ones(len(panel))])
    left = panel["x2"] - z @ np.linalg.lstsq(z, panel["x2"], rcond=None)[0]
    augmented = instrumental_variables(
        panel.assign(left=left),
        "y",
        ["x1"],
        ["z1", "z2", "z3"][:2],
        ["w", "x2", "left"],
        covariance="robust",
        small="sss",
    )
    assert result.tests["wu_hausman_f"].statistic == pytest.approx(
        augmented.t_statistics["left"] ** 2, rel=1e-8
    )


def test_order_ids_and_types_change_nothing(panel: pd.DataFrame) -> None:
    panel = panel.astype({"x1": "float32", "y": "float32"})
    options = {"covariance": {"cluster": ["city_code", "year"]}, "test_exogeneity": ["z2"]}
    plain = instrumental_variables(
        panel, "y", ["x1"], ["z1", "z2"], ["w"], ["city_code", "year", "sector"], **options
    )
    numbers = panel.assign(
        city_code=panel["city_code"].astype(int),
        x1=panel["x1"].astype(float),
        y=panel["y"].astype(float),
    )
    shuffled = panel.sample(frac=1, random_state=1).assign(
        spare="text",
        city_code=lambda f: pd.Categorical(f["city_code"], sorted(set(f["city_code"]))[::-1]),
    )
    for other in (numbers, shuffled, panel.set_index(np.repeat(7, len(panel)))):
        before = other.copy(deep=True)
        again = instrumental_variables(
            other, "y", ["x1"], ["z1", "z2"], ["w"], ["city_code", "year", "sector"], **options
        )
        pd.testing.assert_frame_equal(again.tidy(), plain.tidy(), check_exact=True)
        pd.testing.assert_frame_equal(again.first_stage, plain.first_stage, check_exact=True)
        assert {key: test.statistic for key, test in again.tests.items()} == {
            key: test.statistic for key, test in plain.tests.items()
        }
        pd.testing.assert_frame_equal(other, before)
        assert list(again.sample) == list(other.index)
    renamed = panel.assign(
        city_code=panel["city_code"].astype(int) * 7 % 1009
    )  # ids that sort otherwise: rows are summed in another order
    again = instrumental_variables(
        renamed, "y", ["x1"], ["z1", "z2"], ["w"], ["city_code", "year", "sector"], **options
    )
    np.testing.assert_allclose(again.covariance, plain.covariance, rtol=1e-10)


def test_the_hash_seed_changes_nothing() -> None:
    code = (
        "import numpy as np, pandas as pd\nfrom analysis.estimators.iv.model import"
        " instrumental_variables as iv\nd = np.random.default_rng(0); n = 300; z ="
        " d.normal(size=(n, 2)); u = d.normal(size=n)\nf = pd.DataFrame({'z1': z[:, 0], 'z2': z[:,"
        " 1], 'x': z.sum(axis=1) + u + d.normal(size=n)})\nf['c'], f['t'] = [f'city {i % 23}' for i"
        " in range(n)], [f'y{i % 7}' for i in range(n)]\nf['y'] = f['x'] + u\nr = iv(f, 'y', ['x'],"
        " ['z1', 'z2'], (), ['c', 't'], covariance={'cluster': ['c', 't']},"
        " keys=[])\nprint(r.coefficients['x'].hex(), r.standard_errors['x'].hex(),"
        " r.tests['hansen_j'].statistic.hex())\n"
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


def test_rows_left_out_are_counted_with_their_reason(panel: pd.DataFrame) -> None:
    spoiled = panel.copy()
    (
        spoiled.loc[0, "x1"],
        spoiled.loc[1, "z1"],
        spoiled.loc[2, "city_code"],
        spoiled.loc[3, "weight"],
    ) = (
        np.nan,
        np.inf,
        None,
        0,
    )
    alone = pd.concat([spoiled, panel.head(1).assign(city_code="9999")], ignore_index=True)
    result = instrumental_variables(
        alone, "y", ["x1"], ["z1"], (), ["city_code", "year"], weights="weight", singletons="drop"
    )
    assert result.dropped == {
        "city_code missing": 1,
        "x1 missing": 1,
        "z1 infinite": 1,
        "weight zero": 1,
        "alone in a level of an effect": 1,
    }
    assert result.n == len(alone) - 5 == len(result.sample)
    kept = instrumental_variables(
        alone, "y", ["x1"], ["z1"], (), ["city_code", "year"], weights="weight"
    )
    assert kept.n == result.n + 1
    assert kept.coefficients["x1"] == pytest.approx(result.coefficients["x1"], rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        (
            {"fixed": lambda f: f["city_code"].astype(float)},
            {"controls": ["fixed"]},
            "fixed does not vary once the city_code and year effects are taken out",
        ),
        ({"flat": 1.0}, {"controls": ["flat"]}, "flat does not vary once"),
        (
            {"flat": 1.0},
            {"controls": ["flat"], "effects": ()},
            "flat is a combination of constant|constant is a combination of flat",
        ),
        (
            {"twice": lambda f: 2 * f["z1"] + f["year"]},
            {"instruments": ["z1", "twice"]},
            "is a combination of",
        ),
        ({"x1": lambda f: 2 * f["w"]}, {"controls": ["w"]}, "is a combination of"),
        ({}, {"controls": ["secter"]}, "column 'secter' is not in the frame. Nearest: sector"),
        ({}, {"keys": ["sector"]}, r"with the sector of an earlier row \(sector"),
        ({}, {"endogenous": ["x1", "x2"]}, "2 endogenous regressors and 1 excluded instruments"),
        ({}, {"instruments": ["x1"]}, "x1 is used twice"),
        ({}, {"instruments": "z1"}, r"instruments is a list of column names, such as \['z1'\]"),
        ({"z1": "text"}, {}, "column 'z1' holds .* not numbers"),
        ({}, {"estimator": "ols"}, "estimator = 'ols' is not known"),
        ({}, {"kappa": 0.9}, "kappa is given for estimator 'k_class'"),
        ({}, {"weight_kind": "frequency"}, "says what weights are, and none are given"),
        ({}, {"small": True}, "small = True is not known"),
        ({}, {"constant": "no"}, "constant = 'no' is not known"),
        ({}, {"singletons": "dropp"}, "singletons = 'dropp' is not known. Nearest: drop"),
        ({}, {"keys": "year"}, "keys is a list of column names"),
        (
            {"country": "CN"},
            {"covariance": {"cluster": ["country"]}},
            "one level of 'country' only",
        ),
        (
            {"weight": lambda f: -f["weight"]},
            {"weights": "weight"},
            "weight 'weight' is negative in 475 rows",
        ),
        (
            {"weight": lambda f: f["weight"] + 0.5},
            {"weights": "weight", "weight_kind": "frequency"},
            "not whole numbers",
        ),
        ({"z1": np.nan}, {}, "no row of 475 is complete"),
        ({}, {"test_exogeneity": ["x1"]}, "not x1"),
        ({}, {"test_exogeneity": ["z1"]}, "fewer instruments than regressors"),
        ({}, {"test_endogeneity": ["w"]}, "not w"),
    ],
)
def test_what_cannot_be_estimated_is_named(
    panel: pd.DataFrame, changes: dict, options: dict, message: str
) -> None:
    call = {
        "endogenous": ["x1"],
        "instruments": ["z1"],
        "controls": (),
        "effects": ("city_code", "year"),
    } | options
    with pytest.raises(ValueError, match=message):
        instrumental_variables(
            panel.assign(**changes), "y", call.pop("endogenous"), call.pop("instruments"), **call
        )


def test_duplicates_weak_identification_and_few_clusters(panel: pd.DataFrame) -> None:
    doubled = pd.concat([panel, panel.iloc[[10]]])
    with pytest.raises(
        ValueError, match=r"1 row with the city_code and year of an earlier row \(city_code 1101"
    ):
        instrumental_variables(doubled, "y", ["x1"], ["z1"], (), ["city_code", "year"])
    assert instrumental_variables(
        doubled, "y", ["x1"], ["z1"], (), ["city_code", "year"], keys=()
    ).n == len(doubled)
    one = panel.assign(a=panel["z1"] + panel["z2"], x3=panel["x1"])
    q = np.column_stack([one["z1"], one["w"], np.ones(len(one))])
    one["orthogonal"] = one["z3"] - q @ np.linalg.lstsq(q, one["z3"], rcond=None)[0]
    one["x3"] = one["x3"] - one["orthogonal"] * float(one["orthogonal"] @ one["x3"]) / float(
        one["orthogonal"] @ one["orthogonal"]
    )
    with pytest.raises(
        ValueError, match="the instruments orthogonal do not identify the coefficients of x3"
    ):
        instrumental_variables(one, "y", ["x3"], ["orthogonal"], ["z1", "w"])
    four = panel.assign(block=panel["year"] // 3)
    with pytest.raises(ValueError, match="two-step GMM cannot weigh 5 instruments"):
        instrumental_variables(
            four,
            "y",
            ["x1"],
            ["z1", "z2", "z3"],
            ["w"],
            covariance={"cluster": ["block"]},
            estimator="gmm",
        )
    result = instrumental_variables(
        four, "y", ["x1"], ["z1", "z2", "z3"], ["w"], covariance={"cluster": ["block"]}
    )
    assert np.isnan(result.tests["hansen_j"].statistic)
