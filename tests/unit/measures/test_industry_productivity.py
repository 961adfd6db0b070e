"""Elasticities by industry: known ones come back, order and extra rows change nothing, and hopeless
industries say why.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.measures.industry_productivity import FEWEST_ROWS, elasticities
from analysis.measures.productivity import production_function

LABOUR, CAPITAL = 0.55, 0.30


@pytest.fixture(scope="module")
def firms() -> pd.DataFrame:
    """Firms whose investment and materials are functions of productivity and capital; workers have
    a wage shock of their own.
    """
    draw = np.random.default_rng(5)
    n, years = 700, 6
    w = draw.normal(0, 0.3, n)
    k = draw.normal(5, 1.2, n)
    rows = []
    for year in range(years):
        investment = np.exp(k - 2.2 + 0.8 * w - 0.15 * (k - 5))
        labour = 2 + 0.4 * (k - 5) + 0.5 * w + draw.normal(0, 0.4, n)
        output = 1 + LABOUR * labour + CAPITAL * k + w + draw.normal(0, 0.1, n)
        rows.append(pd.DataFrame({"firm_id": [f"f{i}" for i in range(n)], "year": 2000 + year,
            "ln_value_added": output, "ln_employees": labour,
                                  "ln_capital": k, "ln_intermediate_input": 0.5 * k + 1.3 * w,
                                  "ln_investment": np.log(investment)}))  # fmt: skip
        k = np.log(0.91 * np.exp(k) + investment)
        w = 0.7 * w + draw.normal(0, 0.2, n)
    return pd.concat(rows, ignore_index=True).assign(industry_code="17")


def test_known_elasticities_come_back(firms: pd.DataFrame) -> None:
    found = elasticities(firms).set_index("estimation_method")
    assert list(found.index) == ["acf", "lp", "op"]
    assert found["estimation_problem"].isna().all()
    for method, tolerance in (("lp", 0.03), ("op", 0.03), ("acf", 0.08)):
        assert found.loc[method, "labour_elasticity"] == pytest.approx(LABOUR, abs=tolerance)
        assert found.loc[method, "capital_elasticity"] == pytest.approx(CAPITAL, abs=tolerance)


def test_it_is_the_production_function_of_that_industry(firms: pd.DataFrame) -> None:
    found = elasticities(firms).set_index("estimation_method").loc["lp"]
    names = {
        "unit": "firm_id",
        "period": "year",
        "free": ["ln_employees"],
        "state": ["ln_capital"],
        "proxy": ["ln_intermediate_input"],
    }
    alone = production_function(firms, "ln_value_added", **names, method="lp", repetitions=0)
    assert found["labour_elasticity"] == pytest.approx(alone.coefficients["ln_employees"], abs=1e-8)
    assert found["capital_elasticity"] == pytest.approx(alone.coefficients["ln_capital"], abs=1e-6)


def test_order_of_rows_and_other_industries_change_nothing(firms: pd.DataFrame) -> None:
    other = firms.assign(
        industry_code="26",
        firm_id="g" + firms["firm_id"],
        ln_value_added=firms["ln_value_added"] * 1.1,
    )
    both = pd.concat([other, firms]).sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(
        elasticities(both).query("industry_code == '17'").reset_index(drop=True),
        elasticities(firms),
    )


def test_industries_that_cannot_be_estimated_say_why(firms: pd.DataFrame) -> None:
    few = firms.head(FEWEST_ROWS - 1).assign(industry_code="10")
    alike = firms.assign(
        industry_code="11", ln_employees=firms["ln_capital"], firm_id="h" + firms["firm_id"]
    )
    found = elasticities(pd.concat([few, alike])).set_index(["industry_code", "estimation_method"])
    hopeless = found.drop(
        ("11", "acf")
    )  # with lags of both as instruments, acf can tell them apart
    assert (
        hopeless["labour_elasticity"].isna().all() and hopeless["capital_elasticity"].isna().all()
    )
    assert (
        found.loc[("10", "lp"), "estimation_problem"]
        == f"{FEWEST_ROWS - 1} usable rows, {FEWEST_ROWS} needed"
    )
    assert "cannot be told" in found.loc[("11", "lp"), "estimation_problem"]


def test_rows_without_a_proxy_leave_only_their_method(firms: pd.DataFrame) -> None:
    holes = firms.assign(ln_investment=firms["ln_investment"].where(firms["year"] < 2004))
    found, whole = (elasticities(frame).set_index("estimation_method") for frame in (holes, firms))
    assert found.loc["op", "rows_n"] == (firms["year"] < 2004).sum()
    assert found.loc["lp"].equals(whole.loc["lp"])
