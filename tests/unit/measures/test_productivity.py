"""Production functions: known truths, panels with gaps, and what may not depend on order
or names.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.measures.productivity import production_function
from analysis.measures.productivity_panel import (
    Roles,
    firm_panel,
    independent,
    partly_linear,
    polynomial,
)
from analysis.measures.survival import survival_probability

LABOUR, CAPITAL = 0.6, 0.4
ROLES = {"unit": "firm", "period": "year", "free": ["l"], "state": ["k"]}


def simulated(firms: int = 600, years: int = 10, seed: int = 1) -> pd.DataFrame:
    """Firms with AR(1) productivity; capital is set a year ahead, materials rise with productivity
    and capital, y = 0.6 l + 0.4 k + w + e.

    Labour follows productivity of half a year before and a wage of its own, so that it moves apart
    from materials.
    """
    draw = np.random.default_rng(seed)
    w, k = draw.normal(size=firms) * 0.5, draw.normal(size=firms) + 3
    wage = draw.normal(size=firms) * 0.5
    pieces = []
    for year in range(-10, years):
        shock = draw.normal(size=firms) * 0.3
        w_half = np.sqrt(0.8) * w + 0.6 * shock
        w = np.sqrt(0.8) * w_half + 0.8 * draw.normal(size=firms) * 0.2
        wage = 0.6 * wage + 0.4 * draw.normal(size=firms)
        labour = 0.8 * w_half + 0.5 * k - wage
        invest = 0.5 * w + 0.1 * k
        if year >= 0:
            materials = (w + CAPITAL * k) / 0.7
            y = LABOUR * labour + CAPITAL * k + w + draw.normal(size=firms) * 0.1
            pieces.append(
                pd.DataFrame(
                    {
                        "firm": np.arange(firms),
                        "year": 2000 + year,
                        "y": y,
                        "l": labour,
                        "k": k,
                        "m": materials,
                        "i": invest,
                        "w": w,
                    }
                )
            )
        k = 0.9 * k + 0.3 * invest + draw.normal(size=firms) * 0.3
    return pd.concat(pieces, ignore_index=True)


@pytest.fixture(scope="module")
def firms() -> pd.DataFrame:
    return simulated()


@pytest.fixture(scope="module")
def gappy() -> pd.DataFrame:
    """80 firms, with gaps, a firm seen once, and late comers."""
    frame = simulated(firms=80, years=7, seed=3)
    gone = (
        ((frame["firm"] % 5 == 0) & (frame["year"] == 2003))
        | ((frame["firm"] % 7 == 0) & (frame["year"] > 2004))
        | ((frame["firm"] == 9) & (frame["year"] != 2002))
    )
    return frame[~gone].reset_index(drop=True)


@pytest.mark.parametrize(
    ("method", "proxy", "options"),
    [
        ("op", "i", {}),
        ("lp", "m", {}),
        ("lp", "m", {"joint": True}),
        ("acf", "m", {}),
        ("wooldridge", "m", {}),
        ("lp", "m", {"order": 2, "transition_order": 1}),
    ],
)
def test_truth_is_recovered(firms: pd.DataFrame, method: str, proxy: str, options: dict) -> None:
    result = production_function(
        firms, "y", **ROLES, proxy=[proxy], method=method, repetitions=0, **options
    )
    assert result.coefficients["l"] == pytest.approx(LABOUR, abs=0.03)
    assert result.coefficients["k"] == pytest.approx(CAPITAL, abs=0.05)
    assert np.corrcoef(result.log_tfp, firms["w"])[0, 1] > 0.95
    assert result.log_tfp.to_numpy() == pytest.approx(
        (firms["y"] - firms[["l", "k"]] @ result.coefficients[["l", "k"]]).to_numpy()
    )


def test_least_squares_is_biased_where_acf_is_not(firms: pd.DataFrame) -> None:
    slopes = np.linalg.lstsq(
        np.column_stack([np.ones(len(firms)), firms[["l", "k"]]]), firms["y"], rcond=None
    )[0]
    assert slopes[1] > LABOUR + 0.1


def test_moments_are_met_and_every_minimum_is_shown(firms: pd.DataFrame) -> None:
    result = production_function(firms, "y", **ROLES, proxy=["m"], repetitions=0)
    assert result.criterion < 1e-20
    assert (
        result.minima["criterion"].is_monotonic_increasing
        or (result.minima["criterion"] < 1e-15).sum() > 1
    )
    assert result.minima.iloc[0][["l", "k"]].to_list() == result.coefficients[["l", "k"]].to_list()
    again = production_function(
        firms, "y", **ROLES, proxy=["m"], repetitions=0, start=[0.9, 0.1], starts=4
    )
    assert again.coefficients.to_list() == pytest.approx(result.coefficients.to_list(), abs=1e-7)


@pytest.mark.parametrize("method", ["lp", "acf"])
def test_gross_output_meets_its_moments(gappy: pd.DataFrame, method: str) -> None:
    """The innovations are uncorrelated with current capital and with last year's materials (and
    labour, for ACF), which are computed here again.
    """
    draw = np.random.default_rng(2)
    frame = gappy.assign(m=gappy["m"] + 0.2 * draw.normal(size=len(gappy)))
    frame["gross"] = frame["y"] + 0.4 * frame["m"]
    result = production_function(
        frame,
        "gross",
        **ROLES,
        proxy=["m"],
        method=method,
        gross_output=True,
        repetitions=0,
        order=2,
    )
    assert list(result.coefficients.index) == ["l", "k", "m"]
    assert result.log_tfp.to_numpy() == pytest.approx(
        (frame["gross"] - frame[["l", "k", "m"]] @ result.coefficients).to_numpy()
    )
    frame["w"] = result.expected_log_tfp
    joined = frame.merge(
        frame.assign(year=frame["year"] + 1), on=["firm", "year"], suffixes=("", "_before")
    )
    basis = np.vander(joined["w_before"], 4)
    innovation = joined["w"] - basis @ np.linalg.lstsq(basis, joined["w"], rcond=None)[0]
    for column in ("k", "m_before", *(["l_before"] if method == "acf" else [])):
        assert abs(innovation @ joined[column]) < 1e-7 * np.sqrt(
            innovation @ innovation * (joined[column] @ joined[column])
        )


def test_attrition_corrects_for_firms_that_leave() -> None:
    """Firms with little capital leave at a productivity at which firms with much stay: among those
    seen, capital and productivity move against each other.
    """
    frame = simulated(firms=4000, years=7, seed=11).sort_values(["firm", "year"])
    leaves = frame["w"] + 0.3 * (frame["k"] - frame["k"].mean()) < -0.35
    seen = frame[leaves.groupby(frame["firm"]).cumsum() == 0]
    plain = production_function(seen, "y", **ROLES, proxy=["i"], method="op", repetitions=0)
    corrected = production_function(
        seen, "y", **ROLES, proxy=["i"], method="op", attrition=True, repetitions=0
    )
    assert abs(corrected.coefficients["k"] - CAPITAL) < 0.6 * abs(plain.coefficients["k"] - CAPITAL)
    chance = corrected.survival
    assert chance[seen["year"] == 2006].isna().all()
    assert chance[seen["year"] < 2006].between(0, 1).all()
    with pytest.raises(ValueError, match="no firm leaves"):
        production_function(
            frame, "y", **ROLES, proxy=["i"], method="op", attrition=True, repetitions=0
        )


def test_survival_is_the_share_that_stays() -> None:
    """With a proxy of two values the probit is saturated: the chance is the share seen again, a gap
    counting as seen.
    """
    rows = []
    for firm in range(40):
        kind = firm % 2
        last = 2000 if (kind == 0 and firm < 20) or (kind == 1 and firm < 10) else 2002
        rows += [
            {
                "firm": firm,
                "year": year,
                "y": firm / 7,
                "l": 0.1 * (firm % 3),
                "k": 1.0 * kind,
                "m": 1.0 * kind,
            }
            for year in (2000, 2001, 2002)
            if year <= last
        ]
    frame = pd.DataFrame(rows)
    frame = frame[~((frame["firm"] == 39) & (frame["year"] == 2001))]
    roles = Roles("y", ("l",), ("k",), ("m",), (), "firm", "year")
    panel, order, _ = firm_panel(frame, roles)
    chance = pd.Series(survival_probability(panel, 1), index=frame.index[order])
    stays = 1 - frame["firm"].map(frame.groupby("firm")["year"].max()).eq(frame["year"])
    known = frame["year"] < 2002
    for kind in (0.0, 1.0):
        group = frame.index[known & (frame["k"] == kind)]
        assert chance.loc[group].to_numpy() == pytest.approx(
            np.full(len(group), stays.loc[group].mean()), abs=1e-10
        )
    assert chance.loc[frame.index[~known]].isna().all()


def test_lags_are_of_the_period_before_only(gappy: pd.DataFrame) -> None:
    panel, order, dropped = firm_panel(
        gappy, Roles("y", ("l",), ("k",), ("m",), (), "firm", "year")
    )
    keys = {
        (firm, year): row
        for row, (firm, year) in enumerate(zip(gappy["firm"], gappy["year"], strict=True))
    }
    for position, row in enumerate(order):
        expected = keys.get((gappy["firm"].iloc[row], gappy["year"].iloc[row] - 1))
        assert (panel.before[position] >= 0) == (expected is not None)
        if expected is not None:
            assert order[panel.before[position]] == expected
    assert dropped == {}
    result = production_function(gappy, "y", **ROLES, proxy=["m"], repetitions=0)
    rows_with = sum((firm, year - 1) in keys for firm, year in keys)
    firsts = gappy.groupby("firm")["year"].min()
    assert result.n_second == rows_with
    assert result.gaps == len(gappy) - rows_with - len(firsts)
    assert f"{result.gaps:,} after a gap" in result.note()
    assert np.isfinite(result.log_tfp).all()


@pytest.mark.parametrize("method", ["lp", "acf"])
def test_order_names_and_types_change_nothing(gappy: pd.DataFrame, method: str) -> None:
    options = {
        **ROLES,
        "proxy": ["m"],
        "method": method,
        "repetitions": 3,
        "seed": 4,
        "attrition": True,
    }
    before = gappy.copy(deep=True)
    first = production_function(gappy, "y", **options)
    pd.testing.assert_frame_equal(gappy, before)
    shuffled = gappy.sample(frac=1, random_state=9).assign(extra="text")
    shuffled["firm"] = "firm " + shuffled["firm"].astype(str)
    second = production_function(shuffled, "y", **options)
    assert second.coefficients.to_list() == first.coefficients.to_list()
    assert second.standard_errors.to_list() == first.standard_errors.to_list()
    assert second.log_tfp.loc[gappy.index].to_list() == first.log_tfp.to_list()
    third = production_function(
        gappy.astype({"firm": "category", "year": "float64"}), "y", **options
    )
    assert third.coefficients.to_list() == first.coefficients.to_list()
    halved = production_function(
        gappy.astype(dict.fromkeys(("y", "l", "k", "m"), "float32")), "y", **options
    )
    assert halved.coefficients.to_list() == pytest.approx(first.coefficients.to_list(), abs=1e-4)


def test_bootstrap_draws_firms_and_repeats(gappy: pd.DataFrame) -> None:
    options = {**ROLES, "proxy": ["m"], "method": "lp", "repetitions": 8}
    one, same, other = (production_function(gappy, "y", **options, seed=seed) for seed in (1, 1, 2))
    assert one.draws.equals(same.draws)
    assert not one.draws.equals(other.draws)
    assert one.standard_errors.to_list() == pytest.approx(one.draws.std().to_list())
    assert one.coefficients.equals(other.coefficients)
    panel, _, _ = firm_panel(gappy, Roles("y", ("l",), ("k",), ("m",), (), "firm", "year"))
    chosen = np.array([3, 3, 0])
    sample = panel.resampled(chosen)
    parts = [panel.y[panel.firm == firm] for firm in chosen]
    assert sample.y.tolist() == np.concatenate(parts).tolist()
    assert np.bincount(sample.firm).tolist() == [len(part) for part in parts]
    has_lag = sample.before >= 0
    assert np.all(sample.firm[has_lag] == sample.firm[sample.before[has_lag]])
    assert np.all(sample.period[has_lag] - sample.period[sample.before[has_lag]] == 1)


def test_same_numbers_in_every_process() -> None:
    """Ids are text here: nothing may follow the order in which Python hashes them."""
    program = (
        "import numpy as np, pandas as pd\nfrom analysis.measures.productivity import"
        " production_function\nd = np.random.default_rng(1); n = 240\nf = pd.DataFrame({'firm':"
        " np.repeat([f'x{i}' for i in range(40)], 6), 'year': list(range(6)) * 40})\nf['l'],"
        " f['k'], f['m'] = d.normal(size=n), d.normal(size=n), d.normal(size=n); f['y'] = f.l + f.k"
        " + f.m + d.normal(size=n)\nr = production_function(f, 'y', unit='firm', period='year',"
        " free=['l'], state=['k'], proxy=['m'], method='lp',"
        " repetitions=3)\nprint(r.coefficients.tolist(), r.standard_errors.tolist())"
    )
    printed = set()
    for seed in ("0", "77"):
        surroundings = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
        }
        printed.add(
            subprocess.run(
                [sys.executable, "-c", program],
                env=surroundings,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
    assert len(printed) == 1


def test_controls_are_taken_out(firms: pd.DataFrame) -> None:
    year = firms["year"].astype(float) - 2000
    shifted = firms.assign(trend=year, y=firms["y"] + 0.2 * year)
    for method, proxy in (("lp", "m"), ("acf", "m"), ("wooldridge", "m")):
        result = production_function(
            shifted, "y", **ROLES, proxy=[proxy], method=method, controls=["trend"], repetitions=0
        )
        assert result.coefficients["trend"] == pytest.approx(0.2, abs=0.01)
        assert result.coefficients["k"] == pytest.approx(CAPITAL, abs=0.06)


def test_wooldridges_equations_together_by_a_second_formula(firms: pd.DataFrame) -> None:
    """One regression with the unknown functions written out, both equations below each other."""
    found = production_function(
        firms, "y", **ROLES, proxy=["m"], method="wooldridge", joint=True, order=2, repetitions=0
    )
    assert "both equations" in found.method
    alone = production_function(
        firms, "y", **ROLES, proxy=["m"], method="wooldridge", order=2, repetitions=0
    )
    assert "second equation" in alone.method
    rows = firms.sort_values(["firm", "year"]).reset_index(drop=True)
    before = rows.assign(year=rows["year"] + 1)
    later = rows.merge(before, on=["firm", "year"], suffixes=("", "_1"))

    def unknown(k: pd.Series, m: pd.Series) -> np.ndarray:
        return np.column_stack([np.ones(len(k)), k, m, k * k, k * m, m * m])

    now, then = unknown(rows["k"], rows["m"]), unknown(later["k_1"], later["m_1"])
    n, n2 = len(rows), len(later)
    none = np.zeros
    x = np.vstack([
        np.column_stack([rows["l"], none(n), now, none((n, 6))]),
        np.column_stack([later["l"], later["k"], none((n2, 6)), then]),
    ])  # fmt: skip
    z = np.vstack([
        np.column_stack([rows["l"], now, none((n, 8))]),
        np.column_stack([none((n2, 7)), later["l_1"], later["k"], then]),
    ])  # fmt: skip
    fitted = z @ np.linalg.lstsq(z, x, rcond=None)[0]
    y = np.concatenate([rows["y"], later["y"]])
    theta = np.linalg.lstsq(fitted, y, rcond=None)[0][:2]
    np.testing.assert_allclose(found.coefficients[["l", "k"]], theta, rtol=1e-6)
    assert abs(found.coefficients["l"] - LABOUR) < 0.05


def test_a_second_solution_is_said_in_the_note(firms: pd.DataFrame) -> None:
    found = production_function(firms, "y", **ROLES, proxy=["m"], method="acf", repetitions=0)
    assert "more solution" not in found.note() or len(found.minima) > 1
    twice = pd.concat([found.minima.head(1)] * 2, ignore_index=True)
    twice.loc[1, "l"] = 0.123
    said = replace(found, minima=twice).note()
    assert "1 more solution(s) meet the moments as well (l 0.123, k" in said


def test_rows_that_cannot_be_used_are_dropped_and_counted(gappy: pd.DataFrame) -> None:
    holes = gappy.copy()
    holes.loc[0, "y"] = np.nan
    holes.loc[1, "m"] = -np.inf  # the log of zero
    result = production_function(holes, "y", **ROLES, proxy=["m"], method="lp", repetitions=0)
    assert dict(result.dropped) == {"y missing": 1, "m infinite": 1}
    assert list(result.log_tfp.index[result.log_tfp.isna()]) == [0, 1]
    # A number missing in a firm's last year is no exit: the firm is there.
    roles = Roles("y", ("l",), ("k",), ("m",), (), "firm", "year")
    last = gappy[(gappy["firm"] == 7) & (gappy["year"] == 2004)].index[0]
    panel, order, _ = firm_panel(gappy.assign(y=gappy["y"].mask(gappy.index == last)), roles)
    before = gappy[(gappy["firm"] == 7) & (gappy["year"] == 2003)].index[0]
    assert panel.survives[list(order).index(before)] == 1


def test_input_that_cannot_be_meant_is_refused(gappy: pd.DataFrame) -> None:
    options = {**ROLES, "proxy": ["m"], "repetitions": 0}
    with pytest.raises(ValueError, match=r"firm and year.*firm 0, year 2000"):
        production_function(pd.concat([gappy, gappy.head(1)]), "y", **options)
    with pytest.raises(ValueError, match="'l' is determined by"):
        production_function(
            gappy.assign(l=gappy["k"] + 2 * gappy["m"]), "y", **options, method="lp"
        )
    with pytest.raises(ValueError, match="no firm has two adjacent"):
        production_function(gappy[gappy["year"].isin([2000, 2002])], "y", **options)
    with pytest.raises(ValueError, match="whole numbers"):
        production_function(gappy.assign(year=gappy["year"] + 0.5), "y", **options)
    with pytest.raises(ValueError, match="'ols' is not known"):
        production_function(gappy, "y", **options, method="ols")
    with pytest.raises(ValueError, match="'lp' or 'acf'"):
        production_function(gappy, "y", **options, method="op", gross_output=True)
    with pytest.raises(ValueError, match="start has 1"):
        production_function(gappy, "y", **options, start=[0.5])
    with pytest.raises(ValueError, match="asked for twice"):
        production_function(gappy, "y", **{**options, "proxy": ["k"]})


def test_pieces_by_hand() -> None:
    columns = np.array([[1.0, 2.0], [3.0, 5.0], [2.0, 2.0], [0.0, 1.0]])
    z = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    a, b = z.T
    assert polynomial(columns, 2) == pytest.approx(np.column_stack([a, b, a * a, a * b, b * b]))
    draw = np.random.default_rng(0)
    tall = np.column_stack([np.ones(50), draw.normal(size=(50, 3))])
    for basis in (independent(tall), independent(np.column_stack([tall, tall[:, 1] + tall[:, 2]]))):
        assert basis.shape == (50, 4)
        assert basis.T @ basis == pytest.approx(np.eye(4), abs=1e-14)
        assert basis @ (basis.T @ tall) == pytest.approx(tall, abs=1e-12)
    y, wanted = draw.normal(size=50), draw.normal(size=(50, 2))
    coefficients, fitted = partly_linear(y, tall[:, 1:], wanted, ["p", "q"])
    whole = np.column_stack([tall, wanted])
    expected = np.linalg.lstsq(whole, y, rcond=None)[0]
    assert coefficients == pytest.approx(expected[-2:], abs=1e-13)
    assert fitted == pytest.approx(whole @ expected, abs=1e-13)
