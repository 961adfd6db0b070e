"""Mixes of industries that have a given specialisation and diversity, and numbers of employees that
have a given resilience.

Specialisation is the largest location quotient and diversity the entropy of an industry's shares,
both as means over the years of the panel. In every year a city's share of industry i within its
sector is proportional to

    n_i max(n_i, 0.025)^(v - 1) exp(w e_i + h 1(i = k)),

n_i the nation's share, e_i what the city is known for besides, k its industry of its own. h and v
are found so that both measures come out; w is set by how specialised a city is, so that no other
industry overtakes k. The nation's shares follow from those of the cities and are found with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.measured import diversity, period_resilience, specialisation
from warehouse.simulate.model.shocks import Array

Ints = NDArray[np.int64]
ROUNDS = 100
SMALL = 0.025  # industries below are made more or less equal as one of this share is
LIMITS = {"raised": (-8.0, 8.0), "evenness": (0.4, 3.0)}


@dataclass(frozen=True)
class Sectors:
    """The sector of each industry, and each sector's share by city and year; shares add up to one.

    Attributes
    ----------
    of : (industries,) index of the sector
    share : (n, years, sectors)
    """

    of: Ints
    share: Array


@dataclass(frozen=True)
class Mix:
    """Shares (n, years, industries) that were found, and what cities miss of their targets."""

    share: Array
    missed_specialisation: Array
    missed_diversity: Array


def compose(
    targets: tuple[Array, Array],
    size: Array,
    course: Array,
    known_for: Array,
    sectors: Sectors,
    period: slice,
) -> Mix:
    """Shares of industries that have these measures.

    Parameters
    ----------
    targets : (n,) mean specialisation and mean diversity over `period`
    size : (n, years) employees; the nation is their sum over the cities
    course : (years, industries) the nation's shares to begin with
    known_for : (n, years, industries) deviations of about unit size
    """
    n, industries = len(size), len(sectors.of)
    wanted, even = targets
    own = _own_industry(wanted, even, course[period].mean(axis=0), sectors, known_for)
    width = 0.30 * np.log(np.clip(wanted, 1.3, 6.0))
    raised = np.log(np.clip(wanted, 1.3, None))
    evenness = np.ones(n)
    mark = np.eye(industries)[own][:, None, :]
    spread = width[:, None, None] * known_for * (1 - mark)
    slope_of = np.full(n, -0.5)
    for turn in range(ROUNDS):
        made = _shares(raised, evenness, course, spread, mark, sectors)
        nation = _nation(made, size)
        high = specialisation(made[:, period], nation[period]).mean(axis=1)
        wide = diversity(made[:, period]).mean(axis=1)
        if turn % 5 == 0:
            moved = diversity(
                _shares(raised, evenness + 0.01, course, spread, mark, sectors)[:, period]
            ).mean(axis=1)
            slope_of = np.minimum((moved - wide) / 0.01, -0.02)
        part = (made * mark / sectors.share[..., sectors.of])[:, period].sum(axis=2).mean(axis=1)
        step = (np.log(wanted) - np.log(high)) / np.maximum(1 - part, 0.1)
        raised = np.clip(raised + np.clip(step, -0.5, 0.5), *LIMITS["raised"])
        step = np.clip((even - wide) / slope_of, -0.3, 0.3)
        evenness = np.clip(evenness + 0.8 * step, *LIMITS["evenness"])
    made = _shares(raised, evenness, course, spread, mark, sectors)
    nation = _nation(made, size)
    high = specialisation(made[:, period], nation[period]).mean(axis=1)
    wide = diversity(made[:, period]).mean(axis=1)
    return Mix(made, high - wanted, wide - even)


def _nation(share: Array, size: Array) -> Array:
    total = (share * size[..., None]).sum(axis=0)
    return np.asarray(total / total.sum(axis=1, keepdims=True))


def _shares(
    raised: Array, evenness: Array, course: Array, spread: Array, mark: Array, sectors: Sectors
) -> Array:
    # An industry of one's own counts from the nation's share, however uneven the others are.
    tilt = (evenness[:, None, None] - 1) * (1 - mark) * np.log(np.maximum(course, SMALL))[None]
    values = course[None] * np.exp(tilt + spread + raised[:, None, None] * mark)
    made = np.empty_like(values)
    for sector in range(sectors.share.shape[2]):
        mine = sectors.of == sector
        part = values[..., mine]
        made[..., mine] = sectors.share[..., sector, None] * part / part.sum(axis=-1, keepdims=True)
    return made


def _own_industry(
    wanted: Array, even: Array, nation: Array, sectors: Sectors, known_for: Array
) -> Ints:
    """The industry that a city has more of than the nation: one that gives about the diversity
    wanted, and of these the one it is best known for.
    """
    share = np.minimum(wanted[:, None] * nation[None, :], 0.97)
    rest = (1 - share) / (1 - nation[None, :])
    whole = -(nation * np.log(nation)).sum()
    without = whole + nation * np.log(nation)
    entropy = -share * np.log(share) + rest * without - (1 - share) * np.log(rest)
    room = sectors.share.mean(axis=1)[:, sectors.of]
    single = np.array([(sectors.of == sector).sum() == 1 for sector in sectors.of])
    far = 5 * np.maximum(np.abs(entropy - even[:, None] - 0.1) - 0.2, 0) - known_for.mean(axis=1)
    far = far + 10.0 * (share > 0.5 * room) + 100.0 * single[None, :]
    return np.asarray(far.argmin(axis=1))


def grow(
    start: Array, targets: Array, growth: Array, yearly: Array, sample: NDArray[np.bool_]
) -> tuple[Array, float]:
    """Employees whose resilience over a period is the target plus one constant; with them that
    constant, which follows from the nation's being the sum of the cities.

    Parameters
    ----------
    start : (n,) employees in the year of reference
    targets : (n,) resilience over the period
    growth : (years,) the nation's growth in each later year
    yearly : (n, years) deviations of a year's resilience from the period's
    sample : (n,) the cities that are the nation
    """
    level, constant = targets.copy(), 0.0
    total = np.empty((len(start), len(growth) + 1))
    for _ in range(ROUNDS):
        total[:, 0] = start
        for t, rate in enumerate(growth):
            path = level + yearly[:, t]
            weight = total[sample, t]
            path = path - (path[sample] * weight).sum() / weight.sum()
            total[:, t + 1] = total[:, t] * (1 + rate * np.clip(1 + path, -9.0, 14.0))
        found = np.empty(len(start))
        found[sample] = period_resilience(total[sample])
        rates = total[sample, 1:].sum(axis=0) / total[sample, :-1].sum(axis=0) - 1
        expected = (total[:, :-1] * rates).sum(axis=1)
        found = (total[:, -1] - total[:, 0] - expected) / np.abs(expected)
        constant = float((found - targets)[sample].mean())
        level = level + (targets + constant - found)
    return total, constant
