"""Spatial equations: R spatialreg's and systemfit's numbers, the textbook formulas in full
matrices, and input that could mislead.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, sparse

from analysis.estimators.spatial.equations import SpatialEquation
from analysis.estimators.spatial.moments import error_moments
from analysis.estimators.spatial.system import generalised_spatial_three_stage, spatial_three_stage
from analysis.estimators.spatial.weights import SpatialWeights, spatial_weights
from analysis.estimators.system.model import equation_system

COLUMBUS = {"eq1": ("CRIME", ["INC"]), "eq2": ("HOVAL", ["OPEN", "PLUMB"])}
THEIRS = {"constant": "(Intercept)", "w_CRIME": "WC", "w_HOVAL": "WH"}


@pytest.fixture(scope="module")
def golden() -> Path:
    folder = os.environ.get("CITYTRADE_GOLDEN")
    if not folder:
        pytest.skip("CITYTRADE_GOLDEN is not set: the numbers of other programs are not here")
    return Path(folder) / "spatial_gs3sls"


@pytest.fixture(scope="module")
def columbus(golden: Path) -> tuple[pd.DataFrame, SpatialWeights, dict]:
    frame = pd.read_csv(golden / "columbus_old.csv").assign(area=range(49))
    w = pd.read_csv(golden / "W_columbus_rowstd.csv", header=None).to_numpy()
    return (
        frame,
        spatial_weights(w > 0, range(49)),
        json.loads((golden / "r_spatialreg_systemfit.json").read_text()),
    )


def _map(side: int) -> np.ndarray:
    """Rook neighbours on a square of side x side cities."""
    row, column = np.divmod(np.arange(side * side), side)
    return ((np.abs(row[:, None] - row) + np.abs(column[:, None] - column)) == 1).astype(float)


@pytest.fixture
def panel() -> tuple[pd.DataFrame, pd.DataFrame]:
    """36 cities over 4 years, two outcomes with spatial lags, and the pairs of neighbours."""
    draw = np.random.default_rng(11)
    matrix = _map(6)
    w = matrix / matrix.sum(axis=1, keepdims=True)
    n = len(w)
    frames = []
    for year in range(2012, 2016):
        x = draw.normal(size=(n, 3))
        e = draw.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=n)
        u = np.linalg.solve(np.eye(n) - 0.4 * w, e)
        # y1 = 0.3 W y1 + 0.4 y2 + x1 + u1 and y2 = 0.2 W y2 - 0.3 y1 + x2 - x3 + u2, solved
        # together
        system = np.block(
            [[np.eye(n) - 0.3 * w, -0.4 * np.eye(n)], [0.3 * np.eye(n), np.eye(n) - 0.2 * w]]
        )
        y = np.linalg.solve(
            system, np.concatenate([1 + x[:, 0] + u[:, 0], x[:, 1] - x[:, 2] + u[:, 1]])
        )
        frames.append(
            pd.DataFrame(
                {
                    "city_code": [f"{1100 + i}" for i in range(n)],
                    "year": year,
                    "y1": y[:n],
                    "y2": y[n:],
                    "x1": x[:, 0],
                    "x2": x[:, 1],
                    "x3": x[:, 2],
                }
            )
        )
    first, second = np.nonzero(matrix)
    pairs = pd.DataFrame(
        {
            "city_code": [f"{1100 + i}" for i in first],
            "neighbour_code": [f"{1100 + i}" for i in second],
        }
    )
    return pd.concat(frames, ignore_index=True), pairs


EQUATIONS = {"one": ("y1", ["x1"]), "two": ("y2", ["x2", "x3"])}


@pytest.mark.parametrize("method", ["2SLS", "3SLS"])
@pytest.mark.parametrize(("divisor", "name"), [("none", "noDfCor"), ("geomean", "geomean")])
def test_three_stage_equals_systemfit(
    columbus: tuple, method: str, divisor: str, name: str
) -> None:
    frame, weights, numbers = columbus
    expected = numbers[f"gs3sls_{method}_{name}"]
    result = spatial_three_stage(
        frame, COLUMBUS, weights, unit="area", method=method, residual_covariance=divisor
    )
    assert len(result.coefficients) == len(expected["coef"])
    for term in result.coefficients.index:
        theirs = term[:4] + THEIRS.get(term[4:], term[4:])
        assert result.coefficients[term] == pytest.approx(expected["coef"][theirs], rel=1e-9)
        assert result.standard_errors[term] == pytest.approx(expected["se"][theirs], rel=1e-9)
    np.testing.assert_allclose(
        result.residual_covariance.to_numpy().ravel(), expected["residCov"], rtol=1e-9
    )


def test_moments_equal_spatialreg(columbus: tuple) -> None:
    """The spatial error of least-squares residuals, as R's GMerrorsar has it."""
    frame, weights, numbers = columbus
    x = np.column_stack([np.ones(49), frame[["INC", "HOVAL"]]])
    u = frame["CRIME"] - x @ np.linalg.lstsq(x, frame["CRIME"], rcond=None)[0]
    found = error_moments(u.to_numpy(), weights.among(np.arange(49)))
    assert found.rho == pytest.approx(numbers["GMerrorsar"]["lambda"], rel=1e-10)


def test_kelejian_prucha_equals_the_formulas_in_full_matrices(panel: tuple) -> None:
    """Steps of Kelejian and Prucha (2004), written out with the stacked weights, an explicit
    projection and a numerical search.
    """
    frame, pairs = panel
    result = generalised_spatial_three_stage(frame, EQUATIONS, spatial_weights(pairs), time="year")
    data = frame.sort_values(["year", "city_code"])
    matrix = _map(6)
    w = np.kron(np.eye(4), matrix / matrix.sum(axis=1, keepdims=True))
    one, n = np.ones((len(data), 1)), len(data)
    x = data[["x1", "x2", "x3"]].to_numpy()
    h = np.hstack([one, x, w @ x, w @ w @ x])
    p = h @ np.linalg.inv(h.T @ h) @ h.T
    y1, y2 = data["y1"].to_numpy(), data["y2"].to_numpy()
    sides = [
        (y1, np.column_stack([one, w @ y1, w @ y2, y2, x[:, 0]])),
        (y2, np.column_stack([one, w @ y2, w @ y1, y1, x[:, 1:]])),
    ]
    rhos, starred = [], []
    for y, z in sides:
        u = y - z @ np.linalg.solve(z.T @ p @ z, z.T @ p @ y)
        v, vv = w @ u, w @ w @ u
        g = np.array([u @ u, v @ v, u @ v]) / n
        big = (
            np.array(
                [
                    [2 * u @ v, -v @ v, n],
                    [2 * vv @ v, -vv @ vv, np.trace(w.T @ w)],
                    [u @ vv + v @ v, -v @ vv, 0],
                ]
            )
            / n
        )
        found = optimize.least_squares(
            lambda t, big=big, g=g: big @ [t[0], t[0] ** 2, t[1]] - g,
            [0.0, 1.0],
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
        )
        rhos.append(found.x[0])
        starred.append(
            (y - found.x[0] * w @ y, p @ (z - found.x[0] * w @ z), z - found.x[0] * w @ z)
        )
    residuals = np.column_stack(
        [y - z @ np.linalg.solve(hat.T @ hat, hat.T @ y) for y, hat, z in starred]
    )
    weight = np.kron(np.linalg.inv(residuals.T @ residuals / n), np.eye(n))
    hat = np.block([[starred[0][1], np.zeros((n, 6))], [np.zeros((n, 5)), starred[1][1]]])
    bread = np.linalg.inv(hat.T @ weight @ hat)
    delta = bread @ hat.T @ weight @ np.concatenate([starred[0][0], starred[1][0]])
    np.testing.assert_allclose(result.spatial_error, rhos, atol=1e-7)
    np.testing.assert_allclose(result.coefficients, delta, rtol=1e-6)
    np.testing.assert_allclose(result.standard_errors, np.sqrt(np.diag(bread)), rtol=1e-6)


def test_moments_are_at_their_minimum(panel: tuple) -> None:
    _, pairs = panel
    w = spatial_weights(pairs).among(np.arange(36))
    draw = np.random.default_rng(0)
    for _ in range(20):
        u = np.linalg.solve(np.eye(36) - 0.5 * w.toarray(), draw.normal(size=36))
        found = error_moments(u, w)
        v, z = w @ u, w @ (w @ u)
        g = np.array([u @ u, v @ v, u @ v]) / 36
        big = (
            np.array(
                [
                    [2 * u @ v, -v @ v, 36],
                    [2 * v @ z, -z @ z, (w.data**2).sum()],
                    [u @ z + v @ v, -v @ z, 0],
                ]
            )
            / 36
        )

        def distance(rho: float, s2: float, big: np.ndarray = big, g: np.ndarray = g) -> float:
            return float(((big @ [rho, rho**2, s2] - g) ** 2).sum())

        grid = min(
            distance(rho, s2)
            for rho in np.linspace(-0.99, 0.99, 100)
            for s2 in np.linspace(0.3, 3, 40)
        )
        assert distance(found.rho, found.variance) == pytest.approx(found.distance, abs=1e-12)
        assert found.distance <= grid + 1e-12


def test_effects_equal_their_dummies(panel: tuple) -> None:
    """Year effects taken out are year dummies among regressors and instruments."""
    frame, pairs = panel
    weights = spatial_weights(pairs)
    dummies = frame.assign(
        **{f"d{year}": (frame.year == year).astype(float) for year in (2013, 2014, 2015)}
    )
    plain = spatial_three_stage(
        dummies, EQUATIONS, weights, time="year", auxiliary=["d2013", "d2014", "d2015"]
    )
    taken = spatial_three_stage(frame, EQUATIONS, weights, time="year", effects=["year"])
    np.testing.assert_allclose(
        taken.coefficients, plain.coefficients[taken.coefficients.index], rtol=1e-9
    )
    np.testing.assert_allclose(
        taken.standard_errors, plain.standard_errors[taken.coefficients.index], rtol=1e-9
    )
    scaled = spatial_three_stage(
        frame, EQUATIONS, weights, time="year", effects=["year"], residual_covariance="geomean"
    )
    same = spatial_three_stage(
        dummies,
        EQUATIONS,
        weights,
        time="year",
        auxiliary=["d2013", "d2014", "d2015"],
        residual_covariance="geomean",
    )
    np.testing.assert_allclose(
        scaled.standard_errors, same.standard_errors[scaled.coefficients.index], rtol=1e-9
    )


def test_both_effects_and_gaps_run_and_say_so(panel: tuple) -> None:
    frame, pairs = panel
    holes = frame.drop(index=[4, 60, 61])
    for estimator in (spatial_three_stage, generalised_spatial_three_stage):
        result = estimator(
            holes, EQUATIONS, spatial_weights(pairs), time="year", effects=["city_code", "year"]
        )
        assert result.n == 141 and "city_code and year effects taken out" in result.note()
        assert np.isfinite(result.standard_errors).all()


def test_weights_are_normalised_within_the_year(panel: tuple) -> None:
    """A city absent in one year leaves its neighbours' rows summing to one in that year."""
    frame, pairs = panel
    gone = frame.drop(index=frame.index[(frame.city_code == "1107") & (frame.year == 2013)])
    ones = gone.assign(y1=1.0, y2=gone.x2, x1=gone.x1)
    from analysis.estimators.spatial.sample import spatial_sample

    sample = spatial_sample(ones, ["y1"], spatial_weights(pairs), "city_code", "year")
    np.testing.assert_allclose(sample.lag(sample.values["y1"].to_numpy()), 1.0)


def test_sources_of_weights_agree(panel: tuple) -> None:
    frame, pairs = panel
    matrix = _map(6)
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


def test_normalisations(panel: tuple) -> None:
    _, pairs = panel
    every = np.arange(36)
    spectral = spatial_weights(pairs, normalise="spectral").among(every).toarray()
    assert np.abs(np.linalg.eigvals(spectral)).max() == pytest.approx(1.0)
    assert spatial_weights(pairs, normalise="max").among(every).sum(axis=1).max() == pytest.approx(
        1.0
    )
    assert spatial_weights(pairs, normalise="none").among(every).sum() == len(pairs)


def test_islands_are_kept_dropped_or_refused(panel: tuple) -> None:
    frame, pairs = panel
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
def test_order_ids_and_precision_do_not_matter(panel: tuple, estimator: object) -> None:
    frame, pairs = panel
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


def test_equations_can_leave_parts_out(panel: tuple) -> None:
    frame, pairs = panel
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
            lambda f, p: (f, EQUATIONS, spatial_weights(-_map(6), list(f.city_code.unique()))),
            "not negative",
        ),
        (
            lambda f, p: (f, EQUATIONS, spatial_weights(_map(6)[:, :5], list(range(36)))),
            "must be square",
        ),
        (
            lambda f, p: (f, EQUATIONS, spatial_weights(_map(6), list(range(35)))),
            "36 rows and 35 units",
        ),
    ],
)
def test_errors_say_what_and_where(panel: tuple, change: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spatial_three_stage(*change(*panel), time="year")


def test_the_first_stage_is_that_of_least_squares(panel: tuple) -> None:
    """One endogenous regressor: F of the excluded instruments; Sargan's n R2 of the residuals."""
    frame, pairs = panel
    only = {"one": SpatialEquation("y1", ["x1", "x2", "x3"], endogenous=[], lagged=["y1"])}
    weights = spatial_weights(pairs)
    result = spatial_three_stage(frame, only, weights, time="year")
    data = frame.sort_values(["year", "city_code"])
    w = np.kron(np.eye(4), weights.among(np.arange(36)).toarray())
    x = np.column_stack([np.ones(144), data[["x1", "x2", "x3"]]])
    z = np.column_stack([x, w @ x[:, 1:], w @ w @ x[:, 1:]])
    y, lag = data["y1"].to_numpy(), w @ data["y1"].to_numpy()

    def rest(of: np.ndarray, on: np.ndarray) -> np.ndarray:
        return of - on @ np.linalg.lstsq(on, of, rcond=None)[0]

    rss = [float((rest(lag, on) ** 2).sum()) for on in (x, z)]
    first = result.tests["first_stage_one_w_y1"]
    assert (first.df, first.df2) == (6, 134)
    assert first.statistic == pytest.approx((rss[0] - rss[1]) / 6 / (rss[1] / 134), rel=1e-9)
    hat = np.column_stack([x, lag - rest(lag, z)])
    b = np.linalg.lstsq(hat, y, rcond=None)[0]
    e = y - np.column_stack([x, lag]) @ b
    share = 1 - float((rest(e, z) ** 2).sum()) / float(e @ e)
    sargan = result.tests["sargan_one"]
    assert sargan.df == 5 and sargan.statistic == pytest.approx(144 * share, rel=1e-9)


def test_weak_instruments_are_warned_of(panel: tuple) -> None:
    """Regressors that do not matter instrument nothing; those that do are not warned of."""
    frame, pairs = panel
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


def test_rejected_instruments_are_warned_of(panel: tuple) -> None:
    """x2 belongs into the first equation, and is left out of it."""
    frame, pairs = panel
    wrong = frame.assign(y1=frame["y1"] + 3 * frame["x2"])
    only = {"one": SpatialEquation("y1", ["x1"], lagged=[]), "two": ("y2", ["x2", "x3"])}
    result = spatial_three_stage(wrong, only, spatial_weights(pairs), time="year")
    assert any(w.kind == "rejected_instruments" and "one" in str(w) for w in result.warnings)


def test_lags_are_formed_before_rows_are_taken(panel: tuple) -> None:
    """Half of the map keeps the lags that it has with the other half; whole years are as alone."""
    frame, pairs = panel
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


def test_islands_and_an_error_beyond_one_are_warned_of(panel: tuple) -> None:
    frame, pairs = panel
    alone = pairs[(pairs.city_code != "1100") & (pairs.neighbour_code != "1100")]
    ids = [f"{1100 + i}" for i in range(36)]
    kept = spatial_three_stage(frame, EQUATIONS, spatial_weights(alone, ids), time="year")
    assert "islands" in [warning.kind for warning in kept.warnings]
    assert "4 rows without a neighbour" in str(kept)
    raw = spatial_weights(pairs.assign(w=0.01), weight="w", normalise="none")
    beyond = generalised_spatial_three_stage(frame, EQUATIONS, raw, time="year")
    assert (beyond.spatial_error.abs() >= 1).any()
    assert "boundary" in [warning.kind for warning in beyond.warnings]


def test_equations_can_be_said_in_a_table_of_a_paper(panel: tuple) -> None:
    frame, pairs = panel
    said = {"one": {"outcome": "y1", "regressors": ["x1"]}, "two": EQUATIONS["two"]}
    weights = spatial_weights(pairs)
    same = [spatial_three_stage(frame, each, weights, time="year") for each in (EQUATIONS, said)]
    assert same[0].coefficients.equals(same[1].coefficients)
    wrong = {"one": {"outcome": "y1", "regresors": ["x1"]}}
    with pytest.raises(ValueError, match="equation one: field = 'regresors' is not known. Nearest"):
        spatial_three_stage(frame, wrong, weights, time="year")
