"""Chance that a firm is seen again, for production functions with attrition."""

from __future__ import annotations

import numpy as np
from scipy import special

from analysis.measures import plain
from analysis.measures.productivity_panel import NOTHING_LEFT, FirmPanel, independent, polynomial

PROBIT_STEPS = 50


def survival_probability(panel: FirmPanel, order: int) -> np.ndarray:
    """Chance of being seen in a later period, by a probit on the polynomial of state and proxy; NaN
    in the last period (Olley and Pakes 1996, eq. 10).

    Raises
    ------
    ValueError : no firm leaves, or none stays.
    """
    known = np.isfinite(panel.survives)
    stays = panel.survives[known]
    if not len(stays) or stays.min() == stays.max():
        raise ValueError(
            "attrition: no firm leaves before the last period, or none stays. Leave attrition out."
        )
    columns = np.hstack([panel.state, panel.proxy])[known]
    basis = independent(np.column_stack([np.ones(len(stays)), polynomial(columns, order)]))
    index = plain.times(basis, _probit(stays, basis))
    out = np.full(len(panel.y), np.nan)
    out[known] = special.ndtr(index)
    return out


def _probit(outcome: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Newton's method for the probit; the log-likelihood is concave, so a step that lowers it is
    halved.
    """
    sign = 2 * outcome - 1
    beta = plain.cross(basis, np.full(len(outcome), special.ndtri(outcome.mean())))

    def value(trial: np.ndarray) -> float:
        return float(np.sum(special.log_ndtr(sign * plain.times(basis, trial))))

    for _ in range(PROBIT_STEPS):
        index = sign * plain.times(basis, beta)
        mills = np.exp(-(index**2) / 2 - np.log(2 * np.pi) / 2 - special.log_ndtr(index))
        slope = plain.cross(basis, sign * mills)
        curvature = plain.cross(basis * (mills * (mills + index))[:, None], basis)
        move = plain.least_squares(curvature, slope, NOTHING_LEFT)
        step = next(
            (
                1 / 2**halving
                for halving in range(30)
                if value(beta + move / 2**halving) >= value(beta)
            ),
            0.0,
        )
        beta = beta + step * move
        if float(plain.dot(slope, move)) < 1e-20 or step == 0:
            break
    return beta
