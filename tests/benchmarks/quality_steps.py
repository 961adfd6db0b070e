"""One step of the quality benchmark in a process of its own: `python -m
tests.benchmarks.quality_steps NAME WORK`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

KEYS = "year, hs6_id, destination_id, firm_id, city_id"


def read(work: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Cells, products, and a made-up real GDP for every province and year."""
    with duckdb.connect(
        str(work / "warehouse.duckdb"), read_only=True, config={"threads": 2}
    ) as connection:
        cells = (
            connection.table("intermediate.int_virtual_agglomeration_quality__cells")
            .order(KEYS)
            .df()
        )
        products = (
            connection.table("intermediate.int_virtual_agglomeration_quality__product")
            .order("hs6_id")
            .df()
        )
    rows = [
        (f"{code:02d}", year, 1e11 * code * 1.08 ** (year - 2000) * (1 + code * year % 7 / 50))
        for code in range(11, 66)
        for year in range(2000, 2016)
    ]
    return (
        cells,
        products,
        pd.DataFrame(rows, columns=["province_code", "year", "province_gdp_cny_2000"]),
    )


def citytrade(work: Path) -> dict[str, float]:
    """What int_virtual_agglomeration_quality__firm_product does, its table written too; then the
    regression alone, timed.
    """
    from analysis.measures import quality

    cells, products, provinces = read(work)
    found = quality.quality_of_cells(cells, products, provinces, "published")
    with duckdb.connect(str(work / "quality.duckdb"), config={"threads": 2}) as connection:
        connection.register("found", found)
        connection.execute("create or replace table quality as select * from found")
    with_quality = int(found["quality_index"].notna().sum())
    del found
    q, p, sigma, control, market = columns(cells, products, provinces)
    started = time.perf_counter()
    demand = quality.demand_with_sigma(q, p, sigma, cells["hs6_id"].to_numpy(), market, control)
    seconds = time.perf_counter() - started
    squares = float(np.nansum(demand.residuals**2))
    return {
        "seconds": seconds,
        "coefficient": demand.control or 0.0,
        "squares": squares,
        "cells": len(cells),
        "with_quality": with_quality,
    }


def columns(
    cells: pd.DataFrame, products: pd.DataFrame, provinces: pd.DataFrame
) -> tuple[np.ndarray, ...]:
    """ln quantity, ln price, sigma, ln GDP and market, as the model makes them but by pandas."""
    gdp = provinces.assign(province=provinces["province_code"].astype(int)).set_index(
        ["province", "year"]
    )["province_gdp_cny_2000"]
    at = pd.MultiIndex.from_arrays([cells["city_id"] // 100, cells["year"]])
    sigma = cells["hs6_id"].map(products.set_index("hs6_id")["sigma"]).to_numpy(np.float64)
    market = cells["destination_id"].to_numpy(np.int64) * 10_000 + cells["year"].to_numpy()
    return (
        np.log(cells["quantity"].to_numpy()),
        np.log(cells["unit_value_usd"].to_numpy()),
        sigma,
        np.log(gdp.reindex(at).to_numpy()),
        market,
    )


def pyfixest(work: Path) -> dict[str, float]:
    import pyfixest as pf

    cells, products, provinces = read(work)
    q, p, sigma, control, market = columns(cells, products, provinces)
    frame = pd.DataFrame(
        {
            "y": q + sigma * p,
            "gdp": control,
            "product": cells["hs6_id"].to_numpy(),
            "market": market,
        }
    )[sigma > 1]
    del cells, q, p, sigma, control, market
    started = time.perf_counter()
    fit = pf.feols(
        "y ~ gdp | product + market",
        frame,
        vcov="iid",
        copy_data=False,
        fixef_tol=1e-10,
        lean=False,
    )
    residuals = fit.resid()
    return {
        "seconds": time.perf_counter() - started,
        "coefficient": float(fit.coef()["gdp"]),
        "squares": float(np.sum(np.asarray(residuals) ** 2)),
    }


if __name__ == "__main__":
    step, folder = sys.argv[1], Path(sys.argv[2])
    (folder / f"{step}.json").write_text(
        json.dumps({"citytrade": citytrade, "pyfixest": pyfixest}[step](folder)), encoding="utf-8"
    )
