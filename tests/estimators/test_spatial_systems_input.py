"""What spatial systems do with weights, islands, order, mistakes and weak instruments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from analysis.estimators.spatial.equations import SpatialEquation
from analysis.estimators.spatial.system import generalised_spatial_three_stage, spatial_three_stage
from analysis.estimators.spatial.weights import spatial_weights
from analysis.estimators.system.model import equation_system
from tests.estimators.spatial_cases import EQUATIONS, rook


def test_weights_are_normalised_within_the_year(spatial_panel: tuple) -> None:
    """A city absent in one year leaves its neighbours' rows summing to one in that year."""
    frame, pairs = spatial_panel
    gone = frame.drop(index=frame.index[(frame.city_code == "1107") & (frame.year == 2013)])
    ones = gone.assign(y1=1.0, y2=gone.x2, x1=gone.x1)
    from analysis.estimators.spatial.sample import spatial_sample

    sample = spatial_sample(ones, ["y1"], spatial_weights(pairs), "city_code", "year")
    np.testing.assert_allclose(sample.lag(sample.values["y1"].to_numpy()), 1.0)


def test_sources_of_weights_agree(spatial_panel: tuple) -> None:
    frame, pairs = spatial_panel
    matrix = rook(6)
    ids = [f"{1100 + i}" for i in range(36)]
    half = pairs[pairs.city_code < pairs.neighbour_code]
    order = np.random.default_rng(2).permutation(36)
    weights = [
        spatial_weights(pairs),
        spatial_weights(half, symmetric=True),
        spatial_weights(matrix, ids),
        spatial_weights(sparse.csr_array(matrix[order][:, order]), [ids[i] for i in order]),
        spatial_weights(pd.DataFrame(matrix, index=ids, columns=ids).iloc[order]),
        spatial_weights(pairs.assign(w=2.0), weight="w"),
    ]
    results = [
        spatial_three_stage(frame, EQUATIONS, w, time="year").coefficients.tolist() for w in weights
    ]
    assert all(result == results[0] for result in results)


def test_normalisations(spatial_panel: tuple) -> None:
    _, pairs = spatial_panel
    every = np.arange(36)
    spectral = spatial_weights(pairs, normalise="spectral").among(every).toarray()
    assert np.abs(np.linalg.eigvals(spectral)).max() == pytest.approx(1.0)
    assert spatial_weights(pairs, normalise="max").among(every).sum(axis=1).max() == pytest.approx(
        1.0
    )
    assert spatial_weights(pairs, normalise="none").among(every).sum() == len(pairs)


def test_islands_are_kept_dropped_or_refused(spatial_panel: tuple) -> None:
    frame, pairs = spatial_panel
    alone = pairs[(pairs.city_code != "1100") & (pairs.neighbour_code != "1100")]
    ids = [f"{1100 + i}" for i in range(36)]
    kept = spatial_three_stage(frame, EQUATIONS, spatial_weights(alone, ids), time="year")
    assert kept.islands == 4 and "4 rows without a neighbour with a lag of zero" in kept.note()
    dropped = spatial_three_stage(
        frame, EQUATIONS, spatial_weights(alone, ids, islands="drop"), time="year"
    )
    assert dropped.n == 140 and dropped.dropped == {"no neighbour in its period": 4}
    without = spatial_three_stage(
        frame[frame.city_code != "1100"], EQUATIONS, spatial_weights(alone), time="year"
    )
    assert dropped.coefficients.tolist() == without.coefficients.tolist()
    with pytest.raises(ValueError, match="'1100'"):
        spatial_weights(alone, ids, islands="refuse")


@pytest.mark.parametrize("estimator", [spatial_three_stage, generalised_spatial_three_stage])
def test_order_ids_and_precision_do_not_matter(spatial_panel: tuple, estimator: object) -> None:
    frame, pairs = spatial_panel
    before = frame.copy()
    base = estimator(frame, EQUATIONS, spatial_weights(pairs), time="year")
    shuffled = (
        frame.sample(frac=1, random_state=5)
        .reset_index(drop=True)
        .assign(extra="x")
        .astype({"city_code": "category"})
    )
    again = estimator(
        shuffled, EQUATIONS, spatial_weights(pairs.sample(frac=1, random_state=1)), time="year"
    )
    assert again.coefficients.tolist() == base.coefficients.tolist()
    assert again.covariance.to_numpy().tolist() == base.covariance.to_numpy().tolist()
    numbered = estimator(
        frame.assign(city_code=frame.city_code.astype(int)),
        EQUATIONS,
        spatial_weights(pairs.astype(int)),
        time="year",
    )
    assert numbered.coefficients.tolist() == base.coefficients.tolist()
    single = frame.astype(dict.fromkeys(["y1", "y2", "x1", "x2", "x3"], "float32"))
    double = single.astype(dict.fromkeys(["y1", "y2", "x1", "x2", "x3"], "float64"))
    assert (
        estimator(single, EQUATIONS, spatial_weights(pairs), time="year").coefficients.tolist()
        == estimator(double, EQUATIONS, spatial_weights(pairs), time="year").coefficients.tolist()
    )
    pd.testing.assert_frame_equal(frame, before)


def test_equations_can_leave_parts_out(spatial_panel: tuple) -> None:
    frame, pairs = spatial_panel
    slim = {
        "one": SpatialEquation("y1", ["x1"], endogenous=["y2"], lagged=["y1"]),
        "two": SpatialEquation("y2", ["x2", "x3"], lagged=[]),
    }
    result = spatial_three_stage(frame, slim, spatial_weights(pairs), time="year")
    assert result.equations["one"] == ("one_constant", "one_w_y1", "one_y2", "one_x1")
    assert result.equations["two"] == ("two_constant", "two_y1", "two_x2", "two_x3")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda f, p: (pd.concat([f, f.head(1)]), EQUATIONS, spatial_weights(p)),
            "city_code 1100, year 2012",
        ),
        (
            lambda f, p: (f.assign(city_code="x" + f.city_code), EQUATIONS, spatial_weights(p)),
            "36 units of the frame are not in the weights",
        ),
        (
            lambda f, p: (f.assign(x1=1.0), EQUATIONS, spatial_weights(p)),
            "x1 is a combination of the other regressors",
        ),
        (
            lambda f, p: (f, {"one": ("y1", ["y2"]), "two": ("y2", ["x2"])}, spatial_weights(p)),
            "y2 is named twice",
        ),
        (
            lambda f, p: (f, {"one": ("y1", []), "two": ("y2", ["x2"])}, spatial_weights(p)),
            "not identified",
        ),
        (lambda f, p: (f, EQUATIONS, spatial_weights(pd.concat([p, p.head(1)]))), "from 1100"),
        (
            lambda f, p: (f, EQUATIONS, spatial_weights(np.eye(36), list(f.city_code.unique()))),
            "neighbour themselves",
        ),
        (
            lambda f, p: (
                f,
                EQUATIONS,
                spatial_weights(-rook(6), list(f.city_code.unique())),
            ),
            "not negative",
        ),
        (
            lambda f, p: (
                f,
                EQUATIONS,
                spatial_weights(rook(6)[:, :5], list(range(36))),
            ),
            "must be square",
        ),
        (
            lambda f, p: (
                f,
                EQUATIONS,
                spatial_weights(rook(6), list(range(35))),
            ),
            "36 rows and 35 units",
        ),
    ],
)
def test_errors_say_what_and_where(spatial_panel: tuple, change: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spatial_three_stage(*change(*spatial_panel), time="year")


def test_weak_instruments_are_warned_of(spatial_panel: tuple) -> None:
    """Regressors that do not matter instrument nothing; those that do are not warned of."""
    frame, pairs = spatial_panel
    draw = np.random.default_rng(3)
    noise = frame.assign(**{name: draw.normal(size=144) for name in ("x1", "x2", "x3")})
    for estimator in (spatial_three_stage, generalised_spatial_three_stage):
        weak = estimator(noise, EQUATIONS, spatial_weights(pairs), time="year")
        found = [warning for warning in weak.warnings if warning.kind == "weak_instruments"]
        assert len(found) == 2 and "Equation one: the instruments say little of" in str(weak)
        assert "first_stage_one_w_y1_statistic" in weak.glance()
    slim = {
        "one": SpatialEquation("y1", ["x1"], lagged=[]),
        "two": SpatialEquation("y2", ["x2", "x3"], lagged=[]),
    }
    strong = spatial_three_stage(frame, slim, spatial_weights(pairs), time="year", orders=1)
    assert "weak_instruments" not in [warning.kind for warning in strong.warnings]


def test_rejected_instruments_are_warned_of(spatial_panel: tuple) -> None:
    """x2 belongs into the first equation, and is left out of it."""
    frame, pairs = spatial_panel
    wrong = frame.assign(y1=frame["y1"] + 3 * frame["x2"])
    only = {"one": SpatialEquation("y1", ["x1"], lagged=[]), "two": ("y2", ["x2", "x3"])}
    result = spatial_three_stage(wrong, only, spatial_weights(pairs), time="year")
    assert any(w.kind == "rejected_instruments" and "one" in str(w) for w in result.warnings)


def test_lags_are_formed_before_rows_are_taken(spatial_panel: tuple) -> None:
    """Half of the map keeps the lags that it has with the other half; whole years are as alone."""
    frame, pairs = spatial_panel
    weights = spatial_weights(pairs)
    late = frame["year"] > 2013
    for estimator in (spatial_three_stage, generalised_spatial_three_stage):
        here = estimator(frame, EQUATIONS, weights, time="year", where=late)
        alone = estimator(frame[late], EQUATIONS, weights, time="year")
        np.testing.assert_array_equal(here.coefficients, alone.coefficients)
        np.testing.assert_array_equal(here.covariance, alone.covariance)
        assert here.dropped == {"outside where": 72} and here.groups["year"] == 2
        assert here.residuals.equals(alone.residuals) and list(here.sample) == list(alone.sample)
        assert "lags formed from all 144 complete rows" in here.note()
    west = frame["city_code"] < "1118"
    data = frame.sort_values(["year", "city_code"])
    w = np.kron(np.eye(4), weights.among(np.arange(36)).toarray())
    lagged = data.assign(lag=w @ data["y1"], w1=w @ data["x1"], w2=w @ w @ data["x1"])
    only = {"one": SpatialEquation("y1", ["x1"], endogenous=[], lagged=["y1"])}
    found = spatial_three_stage(frame, only, weights, time="year", where=west)
    half = lagged[lagged["city_code"] < "1118"]
    hand = equation_system(
        half,
        {"one": ("y1", ["lag", "x1"])},
        "2SLS",
        ["x1", "w1", "w2"],
        residual_covariance="none",
    )
    np.testing.assert_allclose(found.coefficients, hand.coefficients, rtol=1e-9)
    np.testing.assert_allclose(found.standard_errors, hand.standard_errors, rtol=1e-9)
    with pytest.raises(ValueError, match="where leaves no complete row"):
        spatial_three_stage(frame, EQUATIONS, weights, time="year", where=frame["year"] > 2020)


def test_islands_and_an_error_beyond_one_are_warned_of(spatial_panel: tuple) -> None:
    frame, pairs = spatial_panel
    alone = pairs[(pairs.city_code != "1100") & (pairs.neighbour_code != "1100")]
    ids = [f"{1100 + i}" for i in range(36)]
    kept = spatial_three_stage(frame, EQUATIONS, spatial_weights(alone, ids), time="year")
    assert "islands" in [warning.kind for warning in kept.warnings]
    assert "4 rows without a neighbour" in str(kept)
    raw = spatial_weights(pairs.assign(w=0.01), weight="w", normalise="none")
    beyond = generalised_spatial_three_stage(frame, EQUATIONS, raw, time="year")
    assert (beyond.spatial_error.abs() >= 1).any()
    assert "boundary" in [warning.kind for warning in beyond.warnings]


def test_equations_can_be_said_in_a_table_of_a_paper(spatial_panel: tuple) -> None:
    frame, pairs = spatial_panel
    said = {"one": {"outcome": "y1", "regressors": ["x1"]}, "two": EQUATIONS["two"]}
    weights = spatial_weights(pairs)
    same = [spatial_three_stage(frame, each, weights, time="year") for each in (EQUATIONS, said)]
    assert same[0].coefficients.equals(same[1].coefficients)
    wrong = {"one": {"outcome": "y1", "regresors": ["x1"]}}
    with pytest.raises(ValueError, match="equation one: field = 'regresors' is not known. Nearest"):
        spatial_three_stage(frame, wrong, weights, time="year")
