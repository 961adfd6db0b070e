"""Writes the world's elasticities of substitution as Broda and Weinstein pass theirs on: a Stata file of 32-bit numbers, by importing country."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from warehouse.simulate.stata import write_stata
from warehouse.simulate.trade import Market

FILE = "SIMULATED_Sigmas_HS3digit.dta"
COUNTRIES = ((100.0, "China", 1.0), (3.0, "Canada", 1.25), (7.0, "Germany", 0.875))  # made-up number, name, multiple of China's elasticity


def write_elasticities(folder: Path, market: Market) -> None:
    """Write the file into `folder`: the truth for China, multiples of it for others, so that a wrong choice of country shows."""
    codes, first = np.unique([code[:3] for code in market.nomenclature.codes], return_index=True)
    kinds = [("ccode", "<f4"), ("cname", "S24"), ("hs_3digit", "<f4"), ("sigma", "<f4")]
    tables = []
    for number, name, multiple in COUNTRIES:
        table = np.zeros(len(codes), dtype=kinds)
        table["ccode"], table["cname"] = number, name.encode()
        table["hs_3digit"], table["sigma"] = codes.astype(float), 1 + multiple * (market.sigma[first] - 1)
        tables.append(table)
    write_stata(folder / FILE, np.concatenate(tables), "SIMULATED elasticities, not real")
