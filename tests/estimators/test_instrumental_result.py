"""What an instrumented equation says of itself: first stages in the table, rows asked for, and
cautions for all that a reader must know.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.estimators import estimate, instrumental_variables, linear_regression


def world(
    strength: float = 0.8, cities: int = 50, years: int = 8, instruments: int = 2, seed: int = 3
) -> pd.DataFrame:
    """y = x + 0.5 w + city + u, where x moves with u and, as much as asked for, with the
    instruments.
    """
    draw = np.random.default_rng(seed)
    n = cities * years
    frame = pd.DataFrame(
        {
            "city_code": np.repeat([f"{1100 + i}" for i in range(cities)], years),
            "year": np.tile(range(2010, 2010 + years), cities),
        }
    )
    z, u = draw.normal(size=(n, instruments)), draw.normal(size=n)
    frame["w"] = draw.normal(size=n)
    frame["x"] = strength * z[:, :2].sum(axis=1) + 0.3 * frame["w"] + 0.7 * u + draw.normal(size=n)
    frame["y"] = frame["x"] + 0.5 * frame["w"] + u + np.repeat(draw.normal(size=cities), years)
    return pd.concat(
        [frame, pd.DataFrame(z, columns=[f"z{i + 1}" for i in range(instruments)])], axis=1
    )


CALL = {"outcome": "y", "endogenous": ["x"], "instruments": ["z1", "z2"], "controls": ["w"]}


def kinds(frame: pd.DataFrame, **options: object) -> list[str]:
    return [
        caution.kind
        for caution in estimate("instrumental_variables", frame, CALL | options).warnings
    ]


@pytest.mark.parametrize("covariance", ["iid", "robust", {"cluster": ["city_code"]}])
def test_first_stages_in_the_table_are_the_regressions_on_all_instruments(
    covariance: object,
) -> None:
    frame = world()
    result = estimate(
        "instrumental_variables", frame, CALL | {"covariance": covariance, "small": "sss"}
    )
    table = result.tidy(level=0.9)
    assert list(dict.fromkeys(table["equation"])) == ["y", "first stage of x"]
    stage = table[table["equation"] == "first stage of x"].set_index("term")
    plain = (
        linear_regression(frame, "x", ["z1", "z2", "w"], covariance=covariance)
        .tidy(level=0.9)
        .set_index("term")
    )
    columns = ["estimate", "std_error", "statistic", "conf_low", "conf_high"]
    assert list(stage.index) == ["z1", "z2", "w", "constant"]
    np.testing.assert_allclose(stage[columns], plain.loc[stage.index, columns], rtol=1e-10)
    large = estimate(
        "instrumental_variables", frame, CALL | {"covariance": covariance, "small": "none"}
    )
    assert large.first_equations["x"].df_t is None and large.df_t is None
    assert (np.diag(large.first_equations["x"].covariance) < stage["std_error"] ** 2).all()
    assert result.glance()["first_stage_f"].item() == result.first_stage.loc["f", "x"]


def test_one_first_stage_for_each_of_several() -> None:
    frame = world(instruments=3).assign(x2=lambda f: f["z3"] + 0.2 * f["x"])
    result = instrumental_variables(
        frame, "y", ["x", "x2"], ["z1", "z2", "z3"], ["w"], ["city_code", "year"]
    )
    assert list(dict.fromkeys(result.tidy()["equation"])) == [
        "y",
        "first stage of x",
        "first stage of x2",
    ]
    assert "constant" not in set(result.tidy()["term"])
    assert "set by inverting" not in str(result)
    one = instrumental_variables(frame, "y", ["x"], ["z1"])
    assert (
        "95% set by inverting Anderson-Rubin: interval" in str(one)
        and "Stock-Yogo critical values" in one._repr_html_()
    )


def test_rows_outside_the_mask_do_not_matter() -> None:
    frame = world()
    late = frame["year"] > 2012
    spoiled = pd.concat(
        [frame.assign(late=late), frame[~late].assign(late=False, x=np.inf)], ignore_index=True
    )
    options = {
        "effects": ["city_code", "year"],
        "covariance": {"cluster": ["city_code"]},
        "estimator": "gmm",
    }
    here = estimate("instrumental_variables", spoiled, CALL | options | {"where": "late"})
    alone = estimate("instrumental_variables", frame[late], CALL | options)
    pd.testing.assert_frame_equal(here.tidy(), alone.tidy(), check_exact=True)
    assert (
        here.dropped == {"outside where": len(spoiled) - int(late.sum())}
        and "(outside where)" in here.note()
    )


def test_weak_instruments_are_said_with_their_strength() -> None:
    assert kinds(world()) == [] and kinds(world(), covariance="robust") == []
    weak = world(strength=0.03)
    iid = estimate("instrumental_variables", weak, CALL)
    caution = iid.warnings[0]
    assert caution.kind == "weak_instruments" and "Anderson-Rubin test and set" in caution.remedy
    assert f"F(2, 396) of x = {iid.first_stage.loc['f', 'x']:.2f}" in caution.sentence
    assert (
        f"Cragg-Donald F is {iid.tests['cragg_donald_f'].statistic:.2f}, and from 19.93 on"
        in caution.sentence
    )
    assert f"Warning: {caution}" in str(iid)
    robust = estimate("instrumental_variables", weak, CALL | {"covariance": "robust"}).warnings[0]
    assert (
        robust.kind == "weak_instruments"
        and "below 10" in robust.sentence
        and "Staiger and Stock" in robust.sentence
    )
    # LIML has tables of its own, with lower values
    middling = world(strength=0.2)
    assert kinds(middling) == ["weak_instruments"] and kinds(middling, estimator="liml") == []


def test_two_regressors_moved_by_one_thing_are_weak_given_each_other() -> None:
    frame = world(instruments=3).assign(
        x2=lambda f: f["x"] + 0.01 * f["z3"] + np.random.default_rng(0).normal(size=len(f))
    )
    result = instrumental_variables(
        frame, "y", ["x", "x2"], ["z1", "z2", "z3"], covariance="robust"
    )
    assert (result.first_stage.loc["f"] > 10).all()
    assert (
        result.warnings[0].kind == "weak_instruments"
        and "given the other endogenous regressors" in result.warnings[0].sentence
    )


def test_many_instruments_and_few_clusters_are_said() -> None:
    frame = world(instruments=45)
    many = estimate(
        "instrumental_variables",
        frame,
        CALL | {"instruments": [f"z{i}" for i in range(1, 46)], "covariance": "robust"},
    )
    found = {caution.kind: caution for caution in many.warnings}
    assert "45 excluded instruments for 400 rows are many" in found["many_instruments"].sentence
    block = frame.assign(block=frame["city_code"].astype(int) % 3)
    few = estimate("instrumental_variables", block, CALL | {"covariance": {"cluster": ["block"]}})
    assert [caution.kind for caution in few.warnings] == [
        "many_instruments",
        "few_clusters",
        "no_statistic",
    ]
    assert (
        "4 instruments (controls among them) are no fewer than 3 clusters"
        in few.warnings[0].sentence
    )
    assert (
        "3 clusters are few" in few.warnings[1].sentence and "Hansen J" in few.warnings[2].sentence
    )
    assert kinds(frame, covariance={"cluster": ["city_code"]}) == []


def test_a_two_way_covariance_that_fails_is_said() -> None:
    frame = world(cities=30, years=10).assign(a=np.arange(300) // 8)
    call = CALL | {"covariance": {"cluster": ["a", "b"]}}
    drawn = [np.random.default_rng(seed).integers(0, 3, 300) for seed in range(15)]
    results = [estimate("instrumental_variables", frame.assign(b=b), call) for b in drawn]
    said = [
        any(caution.kind == "not_semidefinite" for caution in result.warnings) for result in results
    ]
    negative = [bool((np.linalg.eigvalsh(result.covariance) < 0).any()) for result in results]
    assert said == negative and any(said) and not all(said)


def test_rows_kept_although_alone_are_said() -> None:
    frame = pd.concat([world(), world().head(1).assign(city_code="9999")], ignore_index=True)
    options = {"effects": ["city_code", "year"]}
    kept = estimate("instrumental_variables", frame, CALL | options)
    assert (
        "kept although alone in a level of an effect: 1 row." in kept.note()
        and kept.glance()["singletons"].item() == 1
    )
    dropped = estimate("instrumental_variables", frame, CALL | options | {"singletons": "drop"})
    assert dropped.singletons == 0 and "1 row (alone in a level of an effect)" in dropped.note()
