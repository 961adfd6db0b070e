"""Elasticities of value added by industry, by three control functions at once, for firms'
productivity.

The production functions themselves are in `productivity`; here is which proxy goes with which
method, which rows may be used, and what is said of an industry that cannot be estimated.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.measures.productivity import production_function
from analysis.measures.productivity_stages import Method

PROXIES: dict[Method, str] = {
    "op": "ln_investment",
    "lp": "ln_intermediate_input",
    "acf": "ln_intermediate_input",
}
OUTPUT, LABOUR, CAPITAL = "ln_value_added", "ln_employees", "ln_capital"
FEWEST_ROWS = 100
STARTS = 4
DIGITS = 12


def elasticities(firms: pd.DataFrame) -> pd.DataFrame:
    """b_l and b_k of ln value added = b_l ln employees + b_k ln capital + w + e, for every industry
    and method.

    Olley and Pakes (1996, method "op", proxy investment), Levinsohn and Petrin (2003, "lp") and
    Ackerberg, Caves and Frazer (2015, "acf", proxy intermediate inputs both); polynomials of the
    third degree, w a first-order Markov process.

    Parameters
    ----------
    firms : one row a firm and year: industry_code, firm_id, year, and in logs of real values
        ln_value_added, ln_employees,
        ln_capital, ln_intermediate_input, ln_investment; missing proxies are left out of the method
        that needs them

    Returns
    -------
    industry_code, estimation_method, labour_elasticity, capital_elasticity, rows_n, firms_n,
        estimation_problem : one row an industry and method,
        sorted; elasticities are missing and `estimation_problem` says why where they cannot be told
        (fewer than 100 usable rows, collinear inputs, no firm with two adjacent years)
    """
    rows = []
    for industry, own in firms.groupby("industry_code", sort=True):
        rows += [
            {"industry_code": industry, "estimation_method": method, **_estimate(own, method)}
            for method in sorted(PROXIES)
        ]
    columns = [
        "industry_code",
        "estimation_method",
        "labour_elasticity",
        "capital_elasticity",
        "rows_n",
        "firms_n",
        "estimation_problem",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype(
        {
            "labour_elasticity": "float64",
            "capital_elasticity": "float64",
            "rows_n": "int32",
            "firms_n": "int32",
            "estimation_problem": "string",
        }
    )


def _estimate(firms: pd.DataFrame, method: Method) -> dict[str, object]:
    proxy = PROXIES[method]
    needed = [OUTPUT, LABOUR, CAPITAL, proxy]
    usable = firms.loc[np.isfinite(firms[needed].to_numpy(dtype="float64")).all(axis=1)]
    counted = {"rows_n": len(usable), "firms_n": int(usable["firm_id"].nunique())}
    if len(usable) < FEWEST_ROWS:
        return {**counted, "estimation_problem": f"{len(usable)} usable rows, {FEWEST_ROWS} needed"}
    try:
        result = production_function(
            usable,
            OUTPUT,
            unit="firm_id",
            period="year",
            free=[LABOUR],
            state=[CAPITAL],
            proxy=[proxy],
            method=method,
            starts=STARTS,
            repetitions=0,
        )
    except ValueError as error:
        return {**counted, "estimation_problem": str(error)}
    found = result.coefficients.round(DIGITS)
    return {
        **counted,
        "labour_elasticity": float(found[LABOUR]),
        "capital_elasticity": float(found[CAPITAL]),
        "estimation_problem": None,
    }
