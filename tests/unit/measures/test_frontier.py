"""Stochastic frontiers: likelihoods against the integrals they stand for, gradients against
differences, known truths, and input that could mislead.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from analysis.measures.frontier import FrontierError, stochastic_frontier
from analysis.measures.frontier_fit import second_derivatives
from analysis.measures.frontier_likelihood import (
    ExponentialFrontier,
    FrontierData,
    NormalFrontier,
    expected_exponential,
    expected_inefficiency,
    log_ratio,
    log_ratio_slope,
)


@pytest.fixture(scope="module")
def small() -> FrontierData:
    """Five rows of two groups, with a constant and one regressor."""
    draw = np.random.default_rng(1)
    x = np.column_stack([np.ones(5), draw.normal(size=5)])
    w = np.array([[1.0, 0.3], [1.0, -0.2]])
    return FrontierData(
        draw.normal(size=5),
        x,
        w,
        np.array([0, 3]),
        np.array([-2.0, -1.0, 0.0, -1.0, 0.0]),
        1.0,
        True,
    )


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    """60 firms over 6 years, y = 1 + 0.5 x + v - u, u half-normal with standard deviation 0.5 and
    constant in time, v with 0.2.
    """
    draw = np.random.default_rng(5)
    firm, year = (
        axis.ravel() for axis in np.meshgrid(np.arange(60), np.arange(2000, 2006), indexing="ij")
    )
    frame = pd.DataFrame(
        {
            "firm": [f"f{number}" for number in firm],
            "year": year,
            "x": draw.normal(size=360),
            "z": draw.normal(size=360),
        }
    )
    u = np.abs(0.5 * draw.normal(size=60))[firm]
    frame["y"] = 1 + 0.5 * frame["x"] + 0.2 * draw.normal(size=360) - u
    return frame.drop(index=[3, 10, 11, 12, 13, 14, 100, 101])


THETA = np.array([0.4, -0.3, 0.2, 0.5, 0.8, 0.6, 0.1])


def by_integration(data: FrontierData, theta: np.ndarray) -> float:
    """ln of the integral over u of the normal densities of a group's residuals times the truncated
    normal density of u.
    """
    b, d, sigma2, gamma, eta = theta[:2], theta[2:4], theta[4], theta[5], theta[6]
    sigma_u, sigma_v = np.sqrt(sigma2 * gamma), np.sqrt(sigma2 * (1 - gamma))
    residual, mu = data.y - data.x @ b, data.w @ d
    total = 0.0
    for group, rows in enumerate(np.split(np.arange(len(data.y)), data.first[1:])):
        prior = stats.truncnorm(-mu[group] / sigma_u, np.inf, mu[group], sigma_u)

        def density(u: float, rows: np.ndarray = rows, prior: object = prior) -> float:
            noise = residual[rows] + data.sign * u * np.exp(-eta * data.tau[rows])
            return float(np.prod(stats.norm.pdf(noise, 0, sigma_v)) * prior.pdf(u))  # type: ignore[attr-defined]

        total += np.log(integrate.quad(density, 0, 12, epsabs=0, epsrel=1e-11, limit=200)[0])
    return total


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_likelihood_is_the_integral_over_inefficiency(small: FrontierData, sign: float) -> None:
    data = FrontierData(small.y, small.x, small.w, small.first, small.tau, sign, True)
    assert NormalFrontier(data).value(THETA) == pytest.approx(by_integration(data, THETA), abs=1e-9)


def test_exponential_likelihood_is_the_integral_over_inefficiency(small: FrontierData) -> None:
    theta = np.array([0.4, -0.3, 0.8, 0.6])
    sigma_u, sigma_v = np.sqrt(0.48), np.sqrt(0.32)
    residual = small.y - small.x @ theta[:2]
    pieces = [
        integrate.quad(
            lambda u, e=e: stats.norm.pdf(e + u, 0, sigma_v) * np.exp(-u / sigma_u) / sigma_u,
            0,
            20,
            epsabs=0,
            epsrel=1e-11,
        )[0]
        for e in residual
    ]
    assert ExponentialFrontier(small).value(theta) == pytest.approx(
        np.sum(np.log(pieces)), abs=1e-9
    )


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("kind", [NormalFrontier, ExponentialFrontier])
def test_gradient_and_second_derivatives_equal_differences(
    small: FrontierData, kind: type, sign: float
) -> None:
    likelihood = kind(FrontierData(small.y, small.x, small.w, small.first, small.tau, sign, True))
    theta = THETA if kind is NormalFrontier else np.array([0.4, -0.3, 0.8, 0.6])
    step = 1e-5
    moves = np.eye(len(theta)) * step
    slope = [
        (likelihood.value(theta + move) - likelihood.value(theta - move)) / (2 * step)
        for move in moves
    ]
    assert likelihood.gradient(theta) == pytest.approx(np.array(slope), rel=1e-7, abs=1e-8)
    bend = [
        (likelihood.gradient(theta + move) - likelihood.gradient(theta - move)) / (2 * step)
        for move in moves
    ]
    assert second_derivatives(likelihood.gradient, theta) == pytest.approx(
        np.array(bend), rel=1e-7, abs=1e-7
    )


def test_tails_stay_finite_and_exact() -> None:
    z = np.array([-300.0, -20.0, -19.999, 0.0, 30.0])
    # h(z) by Mills' ratio: ln(1 / (sqrt(2 pi) |z|)) less 1/z^2 for large |z|; ln(1/2) at 0; z^2/2
    # at 30.
    assert log_ratio(z)[0] == pytest.approx(
        -np.log(np.sqrt(2 * np.pi) * 300) - 1 / 300**2, abs=1e-9
    )
    assert log_ratio(z)[3] == pytest.approx(np.log(0.5))
    assert log_ratio(z)[4] == pytest.approx(450)
    slope = log_ratio_slope(z)
    assert slope[0] == pytest.approx(1 / 300 - 2 / 300**3, rel=1e-8)
    assert slope[1] == pytest.approx(slope[2], rel=1e-4)
    assert slope[3] == pytest.approx(np.sqrt(2 / np.pi))


def test_efficiency_is_the_expectation_over_the_posterior() -> None:
    mean, spread, scale = np.array([0.3, -1.0]), np.array([0.4, 0.7]), np.array([1.2, 0.8])
    for row in range(2):
        posterior = stats.truncnorm(-mean[row] / spread[row], np.inf, mean[row], spread[row])
        assert expected_inefficiency(mean, spread, scale)[row] == pytest.approx(
            scale[row] * posterior.mean(), rel=1e-10
        )
        expected = integrate.quad(
            lambda u, row=row, posterior=posterior: np.exp(-scale[row] * u) * posterior.pdf(u),
            0,
            10,
            epsabs=1e-13,
        )[0]
        assert expected_exponential(mean, spread, scale, -1.0)[row] == pytest.approx(
            expected, rel=1e-9
        )


def test_truth_is_recovered_and_efficiencies_are_shares(panel: pd.DataFrame) -> None:
    result = stochastic_frontier(panel, "y", ["x"], unit="firm", period="year")
    truth = {"constant": 1.0, "x": 0.5, "sigma_squared": 0.29, "gamma": 0.25 / 0.29}
    assert np.all(np.abs(result.coefficients - pd.Series(truth)) < 3 * result.standard_errors)
    assert result.gradient_norm <= 1e-8
    assert result.lr_p < 1e-10
    shares = result.efficiencies[["jlms", "battese_coelli"]].to_numpy()
    assert np.all((shares > 0) & (shares <= 1))
    # One draw of inefficiency a firm: its efficiency is the same in every year. E(exp(-u)) is above
    # exp(-E(u)).
    assert (
        panel.assign(e=result.efficiencies["battese_coelli"]).groupby("firm")["e"].nunique().max()
        == 1
    )
    assert np.all(shares[:, 1] > shares[:, 0])


def test_cost_frontier_is_the_production_frontier_upside_down(panel: pd.DataFrame) -> None:
    made = stochastic_frontier(panel, "y", ["x"], unit="firm", period="year", decay=True)
    turned = stochastic_frontier(
        panel.assign(y=-panel["y"], x=-panel["x"]),
        "y",
        ["x"],
        unit="firm",
        period="year",
        decay=True,
        kind="cost",
    )
    assert turned.log_likelihood == pytest.approx(made.log_likelihood, abs=1e-10)
    assert turned.efficiencies["battese_coelli"].to_numpy() == pytest.approx(
        made.efficiencies["battese_coelli"].to_numpy(), abs=1e-8
    )
    assert turned.coefficients["constant"] == pytest.approx(
        -made.coefficients["constant"], abs=1e-8
    )
    assert np.all(turned.efficiencies["cost_ratio"] >= 1)


def test_effects_without_columns_are_the_truncated_normal(panel: pd.DataFrame) -> None:
    truncated = stochastic_frontier(
        panel, "y", ["x"], distribution="truncated_normal", mu_bound=2.0
    )
    free = stochastic_frontier(panel, "y", ["x"], effects=[], effects_constant=False)
    half = stochastic_frontier(panel, "y", ["x"])
    assert free.coefficients["gamma"] == pytest.approx(half.coefficients["gamma"], abs=1e-9)
    assert truncated.log_likelihood >= half.log_likelihood
    assert abs(truncated.coefficients["mu"]) <= 2 * np.sqrt(
        truncated.coefficients["sigma_squared"] * truncated.coefficients["gamma"]
    ) * (1 + 1e-12)
    assert truncated.lr_restrictions == 2
    assert half.lr_restrictions == 1


def test_bounded_mu_is_held_and_has_no_standard_error(panel: pd.DataFrame) -> None:
    held = stochastic_frontier(
        panel, "y", ["x"], distribution="truncated_normal", unit="firm", mu_bound=0.01
    )
    ratio = held.coefficients["mu"] / np.sqrt(
        held.coefficients["sigma_squared"] * held.coefficients["gamma"]
    )
    assert abs(ratio) == pytest.approx(0.01)
    assert np.isnan(held.standard_errors["mu"])
    assert np.isfinite(held.standard_errors.drop("mu")).all()


def test_order_index_types_and_extra_columns_change_nothing(panel: pd.DataFrame) -> None:
    options = {"unit": "firm", "period": "year", "decay": True, "distribution": "truncated_normal"}
    before = panel.copy(deep=True)
    first = stochastic_frontier(panel, "y", ["x"], **options)
    pd.testing.assert_frame_equal(panel, before)
    shuffled = panel.sample(frac=1, random_state=2).assign(extra="text")
    shuffled["row"] = shuffled.index
    shuffled = shuffled.set_index(pd.Index([f"r{row}" for row in shuffled["row"]]))
    shuffled["firm"] = shuffled["firm"].str[1:].astype(int)
    second = stochastic_frontier(shuffled, "y", ["x"], **options)
    assert second.coefficients.to_list() == first.coefficients.to_list()
    assert (
        second.efficiencies["jlms"].to_list()
        == first.efficiencies["jlms"].loc[shuffled["row"]].to_list()
    )
    third = stochastic_frontier(panel.astype({"firm": "category"}), "y", ["x"], **options)
    assert third.coefficients.to_list() == first.coefficients.to_list()
    halved = panel.astype({"x": "float32", "y": "float32"})
    assert stochastic_frontier(halved, "y", ["x"], **options).coefficients.to_list() == (
        stochastic_frontier(
            halved.astype({"x": "float64", "y": "float64"}), "y", ["x"], **options
        ).coefficients.to_list()
    )


def test_units_of_a_column_change_its_coefficient_only(panel: pd.DataFrame) -> None:
    first = stochastic_frontier(panel, "y", ["x"], effects=["z"])
    second = stochastic_frontier(
        panel.assign(x=1e6 * panel["x"], z=panel["z"] / 1e5), "y", ["x"], effects=["z"]
    )
    assert second.coefficients["x"] == pytest.approx(first.coefficients["x"] / 1e6, rel=1e-9)
    assert second.standard_errors["x"] == pytest.approx(first.standard_errors["x"] / 1e6, rel=1e-7)
    assert second.coefficients["inefficiency: z"] == pytest.approx(
        first.coefficients["inefficiency: z"] * 1e5, rel=1e-6
    )


def test_decay_is_counted_from_the_last_period(panel: pd.DataFrame) -> None:
    """A firm that leaves early: with base 'unit' its last inefficiency is the draw itself, with
    base 'panel' it is scaled by exp(-eta tau).
    """
    early = panel[~((panel["firm"] == "f7") & (panel["year"] > 2002))]
    by_panel = stochastic_frontier(early, "y", ["x"], unit="firm", period="year", decay=True)
    by_unit = stochastic_frontier(
        early, "y", ["x"], unit="firm", period="year", decay=True, base="unit"
    )
    assert by_panel.coefficients["eta"] != pytest.approx(by_unit.coefficients["eta"], abs=1e-6)
    u = by_panel.efficiencies["inefficiency"][early["firm"] == "f7"].to_numpy()
    assert u[0] / u[1] == pytest.approx(np.exp(by_panel.coefficients["eta"]))
    # Years apart, not rows apart: firm f0 has no row of 2003.
    gap = by_panel.efficiencies["inefficiency"][
        (early["firm"] == "f0") & early["year"].isin([2002, 2004])
    ].to_numpy()
    assert gap[0] / gap[1] == pytest.approx(np.exp(2 * by_panel.coefficients["eta"]))


def test_residuals_skewed_the_other_way_have_no_inefficiency() -> None:
    """Residuals of a cost frontier given to a production frontier: least squares is the maximum
    (Waldman 1982), and nothing is invented.
    """
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"x": draw.normal(size=300)})
    frame["y"] = 2 + frame["x"] + draw.normal(size=300) * 0.2 + draw.exponential(size=300)
    result = stochastic_frontier(frame, "y", ["x"])
    assert not result.has_inefficiency
    assert result.coefficients["gamma"] == 0
    assert result.coefficients["x"] == pytest.approx(result.ols["x"])
    assert result.log_likelihood == result.log_likelihood_ols
    assert (result.efficiencies["battese_coelli"] == 1).all()
    assert result.lr_p == pytest.approx(1.0)
    assert "no inefficiency found" in result.note()


def test_a_likelihood_without_a_maximum_is_refused() -> None:
    draw = np.random.default_rng(4)
    frame = pd.DataFrame({"x": draw.normal(size=400)})
    frame["y"] = frame["x"] + 0.3 * draw.normal(size=400) - draw.exponential(size=400)
    with pytest.raises(FrontierError, match=r"mu moves off.*exponential"):
        stochastic_frontier(frame, "y", ["x"], distribution="truncated_normal")
    assert stochastic_frontier(frame, "y", ["x"], distribution="exponential").coefficients[
        "x"
    ] == pytest.approx(1, abs=0.1)
    frame["y"] = frame["x"] - np.abs(draw.normal(size=400))
    with pytest.raises(FrontierError, match="noise vanishes"):
        stochastic_frontier(frame, "y", ["x"])


def test_rows_that_cannot_be_used_are_dropped_counted_and_stay_in_place(
    panel: pd.DataFrame,
) -> None:
    holes = panel.reset_index(drop=True)
    holes.loc[2, "x"] = np.nan
    holes.loc[5, "y"] = np.inf
    holes.loc[7, "firm"] = None
    result = stochastic_frontier(holes, "y", ["x"], unit="firm", period="year")
    assert dict(result.dropped) == {"y infinite": 1, "x missing": 1, "firm missing": 1}
    assert result.n == len(holes) - 3
    assert list(np.flatnonzero(result.efficiencies["jlms"].isna())) == [2, 5, 7]


def test_input_that_cannot_be_meant_is_refused(panel: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="'x2' is a combination"):
        stochastic_frontier(panel.assign(x2=2 * panel["x"] + 3), "y", ["x", "x2"])
    with pytest.raises(ValueError, match="'flat' is a combination"):
        stochastic_frontier(panel.assign(flat=4.0), "y", ["x", "flat"])
    with pytest.raises(ValueError, match=r"firm and year.*f0, year 2000"):
        stochastic_frontier(
            pd.concat([panel, panel.head(1)]), "y", ["x"], unit="firm", period="year"
        )
    with pytest.raises(ValueError, match=r"'labor' is not in the frame"):
        stochastic_frontier(panel, "y", ["labor"])
    with pytest.raises(ValueError, match="holds str"):
        stochastic_frontier(panel, "y", ["firm"])
    with pytest.raises(ValueError, match="decay needs unit and period"):
        stochastic_frontier(panel, "y", ["x"], decay=True)
    with pytest.raises(ValueError, match="effects explain"):
        stochastic_frontier(
            panel, "y", ["x"], effects=["z"], unit="firm", period="year", decay=True
        )
    with pytest.raises(ValueError, match="too few"):
        stochastic_frontier(panel.head(4), "y", ["x"])


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1e6, 1e12])
@pytest.mark.parametrize(
    "options",
    [
        {"unit": "firm"},
        {"unit": "firm", "distribution": "truncated_normal", "mu_bound": 2.0},
        {"distribution": "exponential"},
    ],
)
def test_the_unit_of_the_outcome_is_the_unit_of_its_coefficients(
    panel: pd.DataFrame, options: dict, unit: float
) -> None:
    """From 1e-9 to 1e12, as where an outcome is left in CNY; the regressor then far from
    zero too.
    """
    moved = panel.assign(y=panel["y"] * unit, x=panel["x"] / unit)
    plain, other = (stochastic_frontier(frame, "y", ["x"], **options) for frame in (panel, moved))
    factors = {"constant": unit, "x": unit**2, "sigma_squared": unit**2, "gamma": 1.0, "mu": unit}
    for term, value in plain.coefficients.items():
        assert other.coefficients[term] / factors[term] == pytest.approx(value, rel=1e-7), term
        assert other.standard_errors[term] / factors[term] == pytest.approx(
            plain.standard_errors[term], rel=1e-6, nan_ok=True
        ), term
    np.testing.assert_allclose(
        other.efficiencies["inefficiency"] / unit, plain.efficiencies["inefficiency"], rtol=1e-7
    )
    assert other.log_likelihood + plain.n * np.log(unit) == pytest.approx(
        plain.log_likelihood, rel=1e-10
    )
    assert other.gradient_norm < 1e-9
