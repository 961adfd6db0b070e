"""Measures against other programs' printed numbers: FRONTIER 4.1 and R frontier, DEAP 2.1, R
prodest, R prcomp.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.measures.envelopment import envelopment
from analysis.measures.frontier import FrontierError, FrontierResult, stochastic_frontier
from analysis.measures.productivity import production_function
from analysis.measures.weights import principal_components

TERMS = ["constant", "capital", "labour", "sigma_squared", "gamma"]


@pytest.fixture(scope="module")
def front41(golden: Path) -> pd.DataFrame:
    frame = pd.read_csv(golden / "sfa_frontier41" / "front41Data.csv")
    return np.log(frame[["output", "capital", "labour"]]).assign(firm=frame["firm"])


@pytest.fixture(scope="module")
def half_normal(front41: pd.DataFrame) -> FrontierResult:
    return stochastic_frontier(front41, "output", ["capital", "labour"])


@pytest.fixture(scope="module")
def rice(golden: Path) -> pd.DataFrame:
    frame = pd.read_csv(golden / "sfa_frontier41" / "riceProdPhil.csv")
    logs = np.log(frame[["PROD", "AREA", "LABOR", "NPK", "LABORP", "NPKP"]])
    logs["COST"] = np.log(frame["LABOR"] * frame["LABORP"] + frame["NPK"] * frame["NPKP"])
    return logs.join(frame[["FMERCODE", "YEARDUM", "EDYRS", "BANRAT"]])


def test_half_normal_frontier_equals_the_exact_maximum(
    golden: Path, half_normal: FrontierResult
) -> None:
    exact = json.loads((golden / "sfa_frontier41" / "exact_mle.json").read_text())
    expected = [*exact["coef"], exact["sigmaSq"], exact["gamma"]]
    assert half_normal.coefficients[TERMS].to_list() == pytest.approx(expected, abs=1e-10)
    assert half_normal.standard_errors[TERMS].to_list() == pytest.approx(
        exact["se_inverse_hessian"], abs=1e-9
    )
    assert half_normal.log_likelihood == pytest.approx(exact["logLik"], abs=1e-11)
    assert half_normal.gradient_norm <= 1e-8


def test_half_normal_frontier_equals_frontier41(golden: Path, half_normal: FrontierResult) -> None:
    """Its data file holds logs with fewer digits (least squares differs in the seventh), and it
    stops within 1e-5 of the maximum.
    """
    text = (golden / "sfa_frontier41" / "EG1.OUT").read_text()
    ols, grid, final = (
        [
            float(number)
            for number in re.findall(r"^ +(?:beta|sigma|gamma)\S* ?\d? +(\S+)", part, re.M)
        ]
        for part in re.split(
            r"the ols estimates are|after the grid search|final mle estimates", text
        )[1:]
    )
    assert half_normal.ols.to_list() == pytest.approx(ols, abs=2e-7)
    assert half_normal.start.to_list() == pytest.approx(grid, abs=2e-7)
    assert half_normal.coefficients.to_list() == pytest.approx(final, abs=1.2e-5)
    efficiencies = [
        float(number) for number in re.findall(r"^ +\d+ +(0\.\d+E[+-]\d\d) *$", text, re.M)
    ]
    assert len(efficiencies) == 60
    assert half_normal.efficiencies["battese_coelli"].to_list() == pytest.approx(
        efficiencies, abs=1e-5
    )
    assert half_normal.lr_statistic == pytest.approx(0.28392402e1, abs=1e-5)
    assert half_normal.log_likelihood_ols == pytest.approx(-0.18446849e2, abs=1e-5)
    assert half_normal.lr_p == pytest.approx(0.046, abs=5e-4)  # R frontier's lrtest


def test_half_normal_frontier_equals_r_frontier(golden: Path, half_normal: FrontierResult) -> None:
    expected = json.loads((golden / "sfa_frontier41" / "r_frontier.json").read_text())
    assert half_normal.coefficients.to_list() == pytest.approx(
        list(expected["coef"].values()), abs=1.2e-5
    )
    assert half_normal.efficiencies["battese_coelli"].to_list() == pytest.approx(
        expected["eff"], abs=2e-5
    )
    assert half_normal.mean_efficiency == pytest.approx(expected["mean_eff"], abs=5e-6)


def test_effects_equal_r_frontier(front41: pd.DataFrame) -> None:
    """As printed to five digits in the R package's own test output (frontierTest.Rout.save)."""
    effects = stochastic_frontier(
        front41, "output", ["capital", "labour"], effects=["firm"], effects_constant=False
    )
    assert effects.coefficients.to_list() == pytest.approx(
        [0.536808, 0.268649, 0.539341, -0.010282, 0.284557, 0.840089], abs=2e-6
    )
    assert effects.log_likelihood == pytest.approx(-16.382, abs=5e-4)
    assert effects.mean_efficiency == pytest.approx(0.7624, abs=5e-5)


def test_rice_cross_section_equals_r_frontier(rice: pd.DataFrame) -> None:
    """As printed in the R package's nestedModels.Rout.save; with a free mu it wanders off there (to
    -64 and to -105), and is refused here.
    """
    inputs = ["AREA", "LABOR", "NPK"]
    half = stochastic_frontier(rice, "PROD", inputs)
    assert half.coefficients.to_list() == pytest.approx(
        [-1.043244, 0.3555118, 0.3332984, 0.2712777, 0.2386278, 0.8853821], abs=1e-5
    )
    with pytest.raises(FrontierError, match="mu moves off"):
        stochastic_frontier(rice, "PROD", inputs, distribution="truncated_normal")


def test_rice_panel_equals_r_frontier(rice: pd.DataFrame) -> None:
    """Battese and Coelli (1992), truncated normal with decay, and a cost frontier with decay, from
    frontierTest.Rout.save.
    """
    panel = {"unit": "FMERCODE", "period": "YEARDUM", "decay": True}
    made = stochastic_frontier(
        rice, "PROD", ["AREA", "LABOR", "NPK"], distribution="truncated_normal", **panel
    )
    expected = [-0.750149, 0.476165, 0.298471, 0.196116, 0.172162, 0.523676, -0.317324, 0.064724]
    assert made.coefficients.to_list() == pytest.approx(expected, abs=5e-5)
    assert made.start[["constant", "sigma_squared", "gamma"]].to_list() == pytest.approx(
        [-1.47456, 0.14581, 0.41], abs=5e-6
    )
    assert made.log_likelihood == pytest.approx(-84.407, abs=5e-4)
    by_year = made.efficiencies["battese_coelli"].groupby(rice["YEARDUM"]).mean()
    assert by_year.to_list() == pytest.approx(
        [0.80004, 0.81044, 0.82041, 0.82996, 0.83908, 0.84780, 0.85612, 0.86405], abs=2e-5
    )
    cost = stochastic_frontier(
        rice, "COST", ["PROD", "AREA", "LABORP", "NPKP"], kind="cost", **panel
    )
    expected = [5.805882, 0.370089, 0.558110, 0.439540, 0.097422, 0.080874, 0.535479, -0.033614]
    assert cost.coefficients.to_list() == pytest.approx(expected, abs=1.2e-5)
    assert cost.log_likelihood == pytest.approx(50.183, abs=5e-4)
    first = cost.efficiencies["cost_ratio"][rice["FMERCODE"] == 1]
    assert first.to_list() == pytest.approx(
        [1.2756, 1.2863, 1.2975, 1.3092, 1.3214, 1.3342, 1.3475, 1.3614], abs=6e-5
    )
    assert cost.efficiencies["cost_ratio"].mean() == pytest.approx(1.1740, abs=6e-5)


def test_bounded_mu_is_at_least_as_likely_as_in_r_frontier(
    front41: pd.DataFrame, rice: pd.DataFrame
) -> None:
    """With |mu| held to 2 sigma_u, FRONTIER's steps end on the bound but short of the maximum on
    it: these are the log-likelihoods it prints there.
    """
    made = stochastic_frontier(
        front41, "output", ["capital", "labour"], distribution="truncated_normal", mu_bound=2
    )
    cost = stochastic_frontier(
        rice,
        "COST",
        ["PROD", "AREA", "LABORP", "NPKP"],
        kind="cost",
        distribution="truncated_normal",
        mu_bound=2,
    )
    for result, printed, firms in ((made, -16.795, None), (cost, 40.966, {0: 1.1696, 243: 2.0837})):
        assert printed < result.log_likelihood < printed + 0.05
        assert result.coefficients["mu"] == pytest.approx(
            -2 * np.sqrt(result.coefficients["sigma_squared"] * result.coefficients["gamma"])
        )
        assert result.gradient_norm <= 1e-8
        for row, ratio in (firms or {}).items():
            assert result.efficiencies["cost_ratio"].iloc[row] == pytest.approx(ratio, rel=0.025)


@pytest.mark.parametrize("slacks", ["two_stage", "multi_stage"])
def test_envelopment_equals_deap(golden: Path, slacks: str) -> None:
    case = json.loads((golden / "dea" / "deap21.json").read_text())["eg1_crs_input"]
    frame = pd.DataFrame(case["X"], columns=["x1", "x2"]).assign(
        y=np.ravel(case["Y"]), firm=[str(number) for number in range(1, 6)]
    )
    result = envelopment(frame, ["x1", "x2"], ["y"], unit="firm", slacks=slacks)
    assert result.table["efficiency"].to_list() == pytest.approx(case["exact"], abs=1e-12)
    assert result.table["efficiency"].to_list() == pytest.approx(case["te"], abs=5.1e-4)
    assert result.table[["slack: x1", "slack: x2"]].to_numpy() == pytest.approx(
        np.array(case["input_slacks"]), abs=1e-6
    )
    assert result.table[["target: x1", "target: x2"]].to_numpy() == pytest.approx(
        np.array(case["input_targets"]), abs=5.1e-4
    )
    for firm, weights in case["peer_weights"].items():
        mine = result.peers[result.peers["firm"] == firm].set_index("peer")["weight"]
        assert mine.to_dict() == pytest.approx(weights, abs=5.1e-4)


@pytest.mark.parametrize(
    ("method", "proxy", "key", "start"),
    [
        ("lp", "inv", "LP_proxy_inv", None),
        ("op", "inv", "OP_proxy_inv", None),
        ("acf", "pX", "ACF_proxy_pX_theta0_.5.5.3", None),
        ("acf", "pX", "ACF_proxy_pX_theta0_.5.5.3", [0.5, 0.5, 0.3]),
    ],
)
def test_production_functions_equal_prodest(
    golden: Path, method: str, proxy: str, key: str, start: list[float] | None
) -> None:
    frame = pd.read_csv(golden / "tfp_chilean" / "chilean.csv")
    expected = json.loads((golden / "tfp_chilean" / "r_prodest.json").read_text())[key]
    options = {
        "unit": "idvar",
        "period": "timevar",
        "free": ["fX1", "fX2"],
        "state": ["sX"],
        "proxy": [proxy],
    }
    result = production_function(
        frame, "Y", **options, method=method, order=2, start=start, repetitions=0
    )
    if method != "acf":
        assert result.coefficients[["fX1", "fX2"]].to_list() == pytest.approx(
            expected[:2], abs=1e-10
        )
    assert result.coefficients[["fX1", "fX2", "sX"]].to_list() == pytest.approx(expected, abs=3e-5)
    assert (method == "acf") == (result.criterion < 1e-20)


def test_principal_components_equal_prcomp(golden: Path) -> None:
    frame = pd.read_csv(golden / "pca" / "usarrests.csv").set_index("state")
    expected = json.loads((golden / "pca" / "r_prcomp.json").read_text())
    result = principal_components(frame, list(frame.columns))
    assert result.deviations.to_list() == pytest.approx(expected["sdev"], abs=1e-10)
    rotation = np.array(expected["rotation"]).reshape(4, 4).T
    turn = np.sign(rotation.sum(axis=0))
    assert result.loadings.to_numpy() == pytest.approx(rotation * turn, abs=1e-10)
    scores = pd.Series(expected["scores_pc1_first5"])
    assert result.scores.loc[scores.index, "pc1"].to_list() == pytest.approx(
        (scores * turn[0]).to_list(), abs=1e-10
    )
    assert result.index.to_list() == result.scores["pc1"].to_list()
