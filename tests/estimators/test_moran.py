"""Spatial autocorrelation: R spdep's numbers, every arrangement of a small map, and input that
could mislead.
"""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.spatial.autocorrelation import (
    geary_variances,
    moran_variances,
    sums_of,
)
from analysis.estimators.spatial.moran import moran
from analysis.estimators.spatial.tests import residual_moran, spatial_dependence_tests
from analysis.estimators.spatial.weights import spatial_weights

EDGES = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5), (1, 4)]


@pytest.fixture(scope="module")
def golden() -> Path:
    folder = os.environ.get("CITYTRADE_GOLDEN")
    if not folder:
        pytest.skip("CITYTRADE_GOLDEN is not set: the numbers of other programs are not here")
    return Path(folder) / "moran"


@pytest.fixture
def small() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Six cities over three years."""
    draw = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "city_code": [f"c{i}" for i in range(6)] * 3,
            "year": np.repeat([2012, 2013, 2014], 6),
            "v": draw.normal(size=18),
        }
    )
    pairs = pd.DataFrame(
        [(f"c{a}", f"c{b}") for a, b in EDGES], columns=["city_code", "neighbour_code"]
    )
    return frame, pairs


def test_global_and_local_equal_spdep(golden: Path) -> None:
    frame = pd.read_csv(golden / "columbus_old.csv").assign(area=range(49))
    weights = spatial_weights(
        pd.read_csv(golden / "W_columbus_rowstd.csv", header=None).to_numpy(), range(49)
    )
    names = {
        "I": "moran_i",
        "EI": "expected_i",
        "VI_rand": "variance_random",
        "z_rand": "z_random",
        "VI_norm": "variance_normal",
        "z_norm": "z_normal",
        "geary_C": "geary_c",
    }
    for variable, expected in json.loads((golden / "r_spdep.json").read_text()).items():
        if variable not in ("CRIME", "INC", "HOVAL"):
            continue
        result = moran(frame, variable, weights, unit="area")
        row = result.statistics.loc["all"]
        for theirs, ours in names.items():
            assert row[ours] == pytest.approx(expected[theirs], rel=1e-12)
        assert row["p_random"] == pytest.approx(expected["p_rand_2s"], rel=1e-10)
        np.testing.assert_allclose(
            result.local["moran_i"], expected["local_Ii"], rtol=1e-10, atol=1e-13
        )
        assert result.local["moran_i"].mean() == pytest.approx(expected["I"], rel=1e-12)
        assert result.slope["all"] == pytest.approx(expected["I"], rel=1e-12)


def test_residual_tests_equal_spdep(golden: Path) -> None:
    frame = pd.read_csv(golden / "columbus_old.csv").assign(area=range(49))
    weights = spatial_weights(
        pd.read_csv(golden / "W_columbus_rowstd.csv", header=None).to_numpy(), range(49)
    )
    expected = json.loads((golden / "r_spdep.json").read_text())
    tests = spatial_dependence_tests(frame, "CRIME", ["INC", "HOVAL"], weights, unit="area")
    for theirs, ours in {
        "LMerr": "lm_error",
        "LMlag": "lm_lag",
        "RLMerr": "robust_lm_error",
        "RLMlag": "robust_lm_lag",
        "SARMA": "sarma",
    }.items():
        assert tests[ours].statistic == pytest.approx(expected["LM"][theirs]["stat"], rel=1e-10)
        assert tests[ours].p == pytest.approx(expected["LM"][theirs]["p"], rel=1e-10)
    parts = residual_moran(frame, "CRIME", ["INC", "HOVAL"], weights, unit="area")
    for theirs, ours in {"I": "moran_i", "EI": "expected_i", "VI": "variance", "z": "z"}.items():
        assert getattr(parts, ours) == pytest.approx(expected["lm_resid_moran"][theirs], rel=1e-10)
    assert tests["moran"].statistic == parts.z


def test_variances_are_those_of_all_arrangements(small: tuple) -> None:
    """Six values can be laid out in 720 ways: the randomisation moments are the mean and variance
    over them.
    """
    frame, pairs = small
    w = spatial_weights(pairs, symmetric=True).among(np.arange(6))
    z = frame["v"].to_numpy()[:6] - frame["v"].to_numpy()[:6].mean()
    dense, total = w.toarray(), float(z @ z)
    orders = [z[list(order)] for order in itertools.permutations(range(6))]
    i = np.array([6 / dense.sum() * (v @ dense @ v) / total for v in orders])
    c = np.array(
        [5 / (2 * dense.sum()) * (dense * (v[:, None] - v) ** 2).sum() / total for v in orders]
    )
    kurtosis = 6 * float((z**4).sum()) / total**2
    assert i.mean() == pytest.approx(-1 / 5, abs=1e-12)
    assert i.var() == pytest.approx(moran_variances(sums_of(w), kurtosis)[1], rel=1e-10)
    assert c.mean() == pytest.approx(1.0, abs=1e-12)
    assert c.var() == pytest.approx(geary_variances(sums_of(w), kurtosis)[1], rel=1e-10)


def test_local_moments_are_those_of_all_arrangements(small: tuple) -> None:
    frame, pairs = small
    weights = spatial_weights(pairs, symmetric=True)
    first = frame[frame.year == 2012]
    dense = weights.among(np.arange(6)).toarray()
    z = first["v"].to_numpy() - first["v"].mean()
    m2 = float(z @ z) / 6
    total = np.array(
        [v * (dense @ v) / m2 for v in (z[list(o)] for o in itertools.permutations(range(6)))]
    )
    local = moran(first, "v", weights, local_variance="total").local
    np.testing.assert_allclose(local["expected"], total.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(local["variance"], total.var(axis=0), rtol=1e-10)
    given = moran(first, "v", weights).local
    for i in range(6):  # the unit keeps its value, the others change places
        rest = np.delete(z, i)
        held = []
        for order in itertools.permutations(range(5)):
            v = np.insert(rest[list(order)], i, z[i])
            held.append(z[i] * (dense[i] @ v) / m2)
        assert given["expected"].iloc[i] == pytest.approx(np.mean(held), rel=1e-10)
        assert given["variance"].iloc[i] == pytest.approx(np.var(held), rel=1e-10)


def test_permutation_p_is_close_to_exact_and_repeats(small: tuple) -> None:
    frame, pairs = small
    weights = spatial_weights(pairs, symmetric=True)
    first = frame[frame.year == 2012]
    dense = weights.among(np.arange(6)).toarray()
    z = first["v"].to_numpy() - first["v"].mean()
    all_values = np.array(
        [v @ dense @ v for v in (z[list(o)] for o in itertools.permutations(range(6)))]
    )
    exact = (all_values >= z @ dense @ z - 1e-12).mean()
    call = {"alternative": "greater", "permutations": 20_000, "seed": 5}
    p = moran(first, "v", weights, **call).statistics.loc["all", "p_permutation"]
    assert p == pytest.approx(exact, abs=0.012)
    assert (
        moran(first.sample(frac=1, random_state=3), "v", weights, **call).statistics.loc[
            "all", "p_permutation"
        ]
        == p
    )
    assert (
        moran(first, "v", weights, **{**call, "seed": 6}).statistics.loc["all", "p_permutation"]
        != p
    )


def test_panel_is_its_years_and_their_stack(small: tuple) -> None:
    frame, pairs = small
    weights = spatial_weights(pairs, symmetric=True)
    result = moran(frame, "v", weights, time="year", permutations=99, seed=1)
    assert result.statistics.index.tolist() == [2012, 2013, 2014, "pooled"]
    for year, part in frame.groupby("year"):
        alone = moran(part, "v", weights).statistics.loc["all"].drop("p_permutation")
        np.testing.assert_array_equal(result.statistics.loc[year].drop("p_permutation"), alone)
    dense = np.kron(np.eye(3), weights.among(np.arange(6)).toarray())
    z = frame["v"].to_numpy() - frame["v"].mean()
    assert result.statistics.loc["pooled", "moran_i"] == pytest.approx(
        18 / dense.sum() * (z @ dense @ z) / (z @ z), rel=1e-12
    )
    own = moran(frame, "v", weights, time="year", pooled_mean="period")
    z = (frame["v"] - frame.groupby("year")["v"].transform("mean")).to_numpy()
    assert own.statistics.loc["pooled", "moran_i"] == pytest.approx(
        18 / dense.sum() * (z @ dense @ z) / (z @ z), rel=1e-12
    )


def test_scatter_is_the_standardised_value_and_its_lag(small: tuple) -> None:
    frame, pairs = small
    weights = spatial_weights(pairs, symmetric=True)
    first = frame[frame.year == 2012]
    scatter = moran(first, "v", weights).scatter
    z = ((first["v"] - first["v"].mean()) / first["v"].std(ddof=0)).to_numpy()
    np.testing.assert_allclose(scatter["z"], z, rtol=1e-12)
    np.testing.assert_allclose(
        scatter["w_z"], weights.among(np.arange(6)).toarray() @ z, rtol=1e-12
    )
    words = {
        (True, True): "high-high",
        (False, True): "low-high",
        (False, False): "low-low",
        (True, False): "high-low",
    }
    assert scatter["quadrant"].tolist() == [
        words[a >= 0, b >= 0] for a, b in zip(scatter["z"], scatter["w_z"], strict=True)
    ]


def test_order_ids_index_and_precision_do_not_matter(small: tuple) -> None:
    frame, pairs = small
    weights = spatial_weights(pairs, symmetric=True)
    before = frame.copy()
    base = moran(frame, "v", weights, time="year", permutations=50, seed=2)
    shuffled = (
        frame.sample(frac=1, random_state=4).astype({"city_code": "category"}).assign(extra=1)
    )
    again = moran(shuffled, "v", weights, time="year", permutations=50, seed=2)
    pd.testing.assert_frame_equal(again.statistics, base.statistics, check_exact=True)
    pd.testing.assert_frame_equal(
        again.local.loc[frame.index].astype({"city_code": object}),
        base.local.astype({"city_code": object}),
        check_exact=True,
    )
    single = frame.astype({"v": "float32"})
    pd.testing.assert_frame_equal(
        moran(single, "v", weights, time="year").statistics,
        moran(single.astype({"v": "float64"}), "v", weights, time="year").statistics,
    )
    pd.testing.assert_frame_equal(frame, before)


def test_islands_count_as_in_spdep() -> None:
    """A unit without neighbours enters the mean and z'z, but neither n nor S0."""
    pairs = pd.DataFrame([(a, b) for a, b in EDGES], columns=["city_code", "neighbour_code"])
    frame = pd.DataFrame({"city_code": range(7), "v": [1.0, 2.0, 4.0, 3.0, 5.0, 0.5, 9.0]})
    result = moran(frame, "v", spatial_weights(pairs, list(range(7)), symmetric=True))
    z = frame["v"].to_numpy() - frame["v"].mean()
    dense = np.zeros((7, 7))
    for a, b in EDGES:
        dense[a, b] = dense[b, a] = 1
    dense[:6] /= dense[:6].sum(axis=1, keepdims=True)
    assert result.islands == 1
    assert result.statistics.loc["all", "n"] == 6
    assert result.statistics.loc["all", "moran_i"] == pytest.approx(
        6 / 6 * (z @ dense @ z) / (z @ z), rel=1e-12
    )
    assert np.isnan(result.local["z"].iloc[6]) and "1 row without a neighbour" in result.note()


def test_missing_rows_leave_and_are_counted(small: tuple) -> None:
    frame, pairs = small
    holes = frame.copy()
    holes.loc[2, "v"] = np.nan
    result = moran(holes, "v", spatial_weights(pairs, symmetric=True), time="year")
    assert (
        result.dropped == {"v missing": 1}
        and result.statistics.loc[2012, "n"] == 5
        and len(result.local) == 17
    )


@pytest.mark.parametrize(
    ("frame_of", "options", "message"),
    [
        (lambda f: f.assign(v=1.0), {}, "v in year 2012 has 6 units and 1 different values"),
        (lambda f: pd.concat([f, f.head(1)]), {}, "city_code c0, year 2012"),
        (lambda f: f[f.city_code < "c3"], {}, "needs four units"),
        (lambda f: f, {"alternative": "both"}, "alternative = 'both' is not known"),
        (lambda f: f.rename(columns={"v": "w"}), {}, "'v' is not in the frame"),
    ],
)
def test_errors_say_what_and_where(
    small: tuple, frame_of: object, options: dict, message: str
) -> None:
    frame, pairs = small
    with pytest.raises(ValueError, match=message):
        moran(frame_of(frame), "v", spatial_weights(pairs, symmetric=True), time="year", **options)


def test_a_subset_has_its_own_neighbours(small: tuple) -> None:
    frame, pairs = small
    weights = spatial_weights(pairs, symmetric=True)
    some = frame["city_code"] != "c0"
    here = moran(frame, "v", weights, time="year", where=some)
    alone = moran(frame[some], "v", weights, time="year")
    pd.testing.assert_frame_equal(here.statistics, alone.statistics, check_exact=True)
    assert here.dropped == {"outside where": 3}
    squared = frame.assign(y=frame["v"] ** 2)
    call = ("y", ["v"], weights)
    tests = spatial_dependence_tests(squared, *call, time="year", where=some)
    own = spatial_dependence_tests(squared[some], *call, time="year")
    pd.testing.assert_frame_equal(tests.tidy(), own.tidy(), check_exact=True)


def test_tables_of_autocorrelation(small: tuple) -> None:
    frame, pairs = small
    ids = [f"c{i}" for i in range(7)]
    extra = pd.concat([frame, pd.DataFrame({"city_code": "c6", "year": [2012], "v": [0.3]})])
    result = moran(extra, "v", spatial_weights(pairs, ids, symmetric=True), time="year")
    table = result.tidy().set_index(["equation", "term"])
    row = result.statistics.loc[2013]
    shown = table.loc[("moran_i", "2013")]
    assert (shown["estimate"], shown["p_value"]) == (row["moran_i"], row["p_random"])
    assert shown["std_error"] == row["variance_random"] ** 0.5 and np.isnan(shown["conf_low"])
    pooled = result.statistics.loc["pooled"]
    assert table.loc[("geary_c", "pooled"), "statistic"] == pooled["geary_z_random"]
    assert [warning.kind for warning in result.warnings] == ["islands"]
    assert "Warning: 1 row without a neighbour in their period" in str(result)
    squared = extra.assign(x=extra["v"] ** 2)
    part = residual_moran(squared, "v", ["x"], spatial_weights(pairs, ids), time="year")
    assert part.tidy()["statistic"].item() == part.z and "left out: no rows." in part.note()
