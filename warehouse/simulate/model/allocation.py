"""How efficiently cities turn what they put into innovation into what comes out: both outputs fall
short of the frontier by one half-normal number a city and year, smaller where the digital economy
is larger (digital_export_resilience, section 5.1).
"""

from __future__ import annotations

import math

import numpy as np

from warehouse.simulate.model.economy import Array, Economy

# Of the normal whose size is the shortfall in logs, where the digital economy is as in the mean;
# and how much smaller it is, in logs, for one unit of the index.
INEFFICIENCY_DEVIATION, ON_DIGITAL = 1.0, 2.0
OUTPUTS = ("technology_contracts_n", "invention_patents_in_force_n")


def on_efficiency() -> float:
    """How much exp(-shortfall) rises with a unit of the index where that is as in the mean: with
    u = s |n|, n standard normal and ln s falling by ON_DIGITAL, it is ON_DIGITAL E(u exp(-u)).
    """
    s = INEFFICIENCY_DEVIATION
    mean = math.exp(s * s / 2) * math.erfc(s / math.sqrt(2))  # E exp(-u)
    return ON_DIGITAL * s * (math.sqrt(2 / math.pi) - s * mean)


def fall_short(
    economy: Economy, digital: Array, rng: np.random.Generator, null: bool = False
) -> tuple[Array, dict[str, object]]:
    """Lower both outputs of innovation; returns exp(-shortfall) of the years of `digital`, and what
    the truth says of it.

    digital : the index of the digital economy, (cities, last years)
    """
    x = economy.indicators
    shape, years_n = x[OUTPUTS[0]].shape, digital.shape[1]
    deviation = np.full(shape, INEFFICIENCY_DEVIATION)
    if not null:
        deviation[:, -years_n:] *= np.exp(-ON_DIGITAL * (digital - digital.mean()))
    shortfall = np.abs(rng.normal(0.0, 1.0, shape)) * deviation
    for name in OUTPUTS:
        x[name] = x[name] * np.exp(-shortfall)
    efficiency = np.exp(-shortfall[:, -years_n:])
    truth: dict[str, object] = {
        "deviation": INEFFICIENCY_DEVIATION,
        "on_digital_economy_log": ON_DIGITAL,
        "mean_efficiency_2011_2021": round(float(efficiency.mean()), 6),
    }
    return efficiency, truth
