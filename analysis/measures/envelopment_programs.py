"""The linear programs of data envelopment, solved with HiGHS's dual simplex so that solutions are
corners and repeat to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize

Returns = Literal["crs", "vrs", "nirs", "ndrs"]
Orientation = Literal["input", "output"]
# The sum of the weights: free, one, at most one, at least one.
WEIGHT_SUMS: dict[str, tuple[float, float] | None] = {
    "crs": None,
    "vrs": (1.0, 1.0),
    "nirs": (0.0, 1.0),
    "ndrs": (1.0, np.inf),
}
EXACT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
# HiGHS keeps constraints to 1e-10; what differs from one or zero by less than this does so by
# rounding.
ROUNDING = 1e-8
# A projected point lies on the frontier only up to rounding, so the programs that start from it are
# given a little room, more if they need it.
ROOM = (1e-9, 1e-8, 1e-7, 1e-6)


class EnvelopmentError(RuntimeError):
    """The solver gave up on a program that has a solution."""


@dataclass(frozen=True)
class Technology:
    """Rows of inputs (n, m) and outputs (n, s) that span the frontier, and what is assumed of
    scale.
    """

    x: np.ndarray
    y: np.ndarray
    returns: Returns

    def only(self, rows: np.ndarray) -> Technology:
        return Technology(self.x[rows], self.y[rows], self.returns)


def _solve(
    costs: np.ndarray, technology: Technology, left: np.ndarray, right: np.ndarray
) -> np.ndarray | None:
    """Minimise costs @ (weights, extra) under left @ (weights, extra) <= right, all of them
    non-negative; None where infeasible.
    """
    n, size = len(technology.x), len(costs)
    sums = WEIGHT_SUMS[technology.returns]
    total = np.zeros((1, size))
    total[0, :n] = 1
    equal = sums is not None and sums[0] == sums[1]
    if sums is not None and not equal:
        bound, turn = (sums[1], 1) if np.isfinite(sums[1]) else (sums[0], -1)
        left, right = np.vstack([left, turn * total]), np.append(right, turn * bound)
    solved = optimize.linprog(
        costs,
        left,
        right,
        total if equal else None,
        [1.0] if equal else None,
        (0, None),
        "highs-ds",
        options=EXACT,
    )
    if solved.status == 2:
        return None
    if solved.status != 0:
        raise EnvelopmentError(
            f"HiGHS stopped with status {solved.status} ({solved.message}) on {n} units. Rescale"
            " the columns."
        )
    return np.asarray(solved.x)


def radial(technology: Technology, x: np.ndarray, y: np.ndarray, orientation: Orientation) -> float:
    """Farrell efficiency of (x, y): the least share of the inputs that suffices, or one over the
    most by which outputs can grow.

    In (0, 1] for a point inside the technology; above 1 outside it (super-efficiency, other
    periods); NaN where no multiple of it is inside.
    """
    n = len(technology.x)
    costs = np.zeros(n + 1)
    if orientation == "input":
        costs[n] = 1
        left = np.vstack(
            [
                np.column_stack([technology.x.T, -x]),
                np.column_stack([-technology.y.T, np.zeros(len(y))]),
            ]
        )
        right = np.concatenate([np.zeros(len(x)), -y])
    else:
        costs[n] = -1
        left = np.vstack(
            [
                np.column_stack([technology.x.T, np.zeros(len(x))]),
                np.column_stack([-technology.y.T, y]),
            ]
        )
        right = np.concatenate([x, np.zeros(len(y))])
    solution = _solve(costs, technology, left, right)
    if solution is None or solution[n] <= 0:
        return float("nan")
    return float(solution[n] if orientation == "input" else 1 / solution[n])


def snap(efficiency: float) -> float:
    """1 where an efficiency differs from 1 by rounding only."""
    return 1.0 if abs(efficiency - 1) < ROUNDING else efficiency


@dataclass(frozen=True)
class Projection:
    """Where a unit is projected: weights (n,) of the reference rows, slacks of inputs (m,) and
    outputs (s,).
    """

    weights: np.ndarray
    input_slacks: np.ndarray
    output_slacks: np.ndarray


def most_slack(
    technology: Technology, x: np.ndarray, y: np.ndarray, price: np.ndarray
) -> Projection:
    """The point of the technology below x and above y whose priced slacks are largest (second stage
    of Ali and Seiford 1993).
    """
    n, m, s = len(technology.x), len(x), len(y)
    left = np.hstack([np.vstack([technology.x.T, -technology.y.T]), np.eye(m + s)])
    solution = _solve_near(
        np.concatenate([np.zeros(n), -price]), technology, left, np.concatenate([x, -y])
    )
    weights = np.where(solution[:n] < ROUNDING, 0.0, solution[:n])
    slacks = _without_rounding(solution[n:], np.concatenate([x, y]))
    return Projection(weights, slacks[:m], slacks[m:])


def _solve_near(
    costs: np.ndarray, technology: Technology, left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """The program from a point that lies on the frontier up to rounding."""
    for room in ROOM:
        solution = _solve(costs, technology, left, right + room * (1 + np.abs(right)))
        if solution is not None:
            return solution
    raise EnvelopmentError(
        f"no combination of {len(technology.x)} reference units lies at the projected point."
        " Rescale the columns."
    )


def _without_rounding(slacks: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Slacks, zero where they are no larger than the room that was given."""
    return np.where(slacks <= 2 * ROOM[-1] * (1 + sizes), 0.0, slacks)


def multi_stage(technology: Technology, x: np.ndarray, y: np.ndarray) -> Projection:
    """The nearest efficient point by a sequence of radial steps along the dimensions that still
    have slack (Coelli 1998).

    Unlike the largest slacks, it does not depend on units of measurement. Inputs are contracted
    first, then outputs expanded.
    """
    near_x, near_y = x.copy(), y.copy()
    for _ in range(len(x) + 1):
        loose = _loose(technology, near_x, near_y, "input")
        if not loose.any():
            break
        near_x[loose] *= _contraction(technology, near_x, near_y, loose)
    for _ in range(len(y) + 1):
        loose = _loose(technology, near_x, near_y, "output")
        if not loose.any():
            break
        near_y[loose] *= _expansion(technology, near_x, near_y, loose)
    final = most_slack(technology, near_x, near_y, np.ones(len(x) + len(y)))
    return Projection(
        final.weights, _without_rounding(x - near_x, x), _without_rounding(near_y - y, y)
    )


def _loose(technology: Technology, x: np.ndarray, y: np.ndarray, side: Orientation) -> np.ndarray:
    """Which inputs (or outputs) could still shrink (grow) alone."""
    m, size = len(x), len(x) + len(y)
    out = np.zeros(m if side == "input" else len(y), dtype=bool)
    for position in range(len(out)):
        price = np.zeros(size)
        price[position if side == "input" else m + position] = 1
        found = most_slack(technology, x, y, price)
        out[position] = (found.input_slacks if side == "input" else found.output_slacks)[
            position
        ] > 0
    return out


def _contraction(technology: Technology, x: np.ndarray, y: np.ndarray, loose: np.ndarray) -> float:
    n = len(technology.x)
    costs = np.append(np.zeros(n), 1.0)
    left = np.vstack(
        [
            np.column_stack([technology.x.T, -np.where(loose, x, 0)]),
            np.column_stack([-technology.y.T, np.zeros(len(y))]),
        ]
    )
    return min(
        1.0,
        float(_solve_near(costs, technology, left, np.concatenate([np.where(loose, 0, x), -y]))[n]),
    )


def _expansion(technology: Technology, x: np.ndarray, y: np.ndarray, loose: np.ndarray) -> float:
    n = len(technology.x)
    costs = np.append(np.zeros(n), -1.0)
    left = np.vstack(
        [
            np.column_stack([technology.x.T, np.zeros(len(x))]),
            np.column_stack([-technology.y.T, np.where(loose, y, 0)]),
        ]
    )
    return max(
        1.0,
        float(_solve_near(costs, technology, left, np.concatenate([x, -np.where(loose, 0, y)]))[n]),
    )
