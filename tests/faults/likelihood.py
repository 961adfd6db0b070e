"""Tobit and Heckman by likelihood, with outcomes in units from very small to very large."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimators.limited import heckman, tobit

UNITS = (1e-9, 1e-6, 1.0, 1e2, 1e4, 1e6, 1e9, 1e12)
ROWS, SEED = 900, 5


def scales_with_its_unit() -> dict[str, str]:
    """The coefficient of z over the unit, to six digits, by estimator: one text where all units
    give the same, else all that came out.
    """
    rng = np.random.default_rng(SEED)
    z, x = rng.normal(size=ROWS), rng.normal(size=ROWS)
    e = rng.normal(size=ROWS)
    v = 0.5 * e + np.sqrt(0.75) * rng.normal(size=ROWS)
    bounded = pd.Series(2 * z + rng.normal(size=ROWS) - 0.5).clip(lower=0)
    selected = pd.Series(1 + 2 * z + e).where(0.3 + z + x + v > 0)
    found: dict[str, set[str]] = {"tobit": set(), "heckman": set()}
    for unit in UNITS:
        frame = pd.DataFrame({"y": bounded * unit, "w": selected * unit, "z": z, "x": x})
        estimates = {
            "tobit": tobit(frame, "y", ["z"]),
            "heckman": heckman(frame, "w", ["z"], ["z", "x"], estimator="ml"),
        }
        for name, result in estimates.items():
            found[name].add(f"{result.coefficients['z'] / unit:.6f}")
    return {name: " or ".join(sorted(texts)) for name, texts in found.items()}
