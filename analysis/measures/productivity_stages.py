"""The stages of control-function estimators of production functions, each a function of a panel.

All sums are those of `plain`, and the searches are MINPACK's, which calls no BLAS: so the estimates
are the same to the bit whatever the processor and the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize
from scipy.stats import qmc

from analysis.measures import plain
from analysis.measures.productivity_panel import (
    NOTHING_LEFT,
    FirmPanel,
    independent,
    partly_linear,
    polynomial,
    projected,
)
from analysis.measures.survival import survival_probability

Method = Literal["op", "lp", "acf", "wooldridge"]
SAME_POINT = 1e-3
# Moments this small, as a share of the outcome's variance, are met exactly.
MET = 1e-18
POLISHING_STEPS = 20
COMPLEX_STEP = 1e-30
# Of a coefficient: so near, the slope of the sum of squares is a straight line to eight digits.
NEARBY = 1e-5


@dataclass(frozen=True)
class Plan:
    """How a production function is estimated; see `productivity.production_function`."""

    method: Method
    order: int
    transition_order: int
    attrition: bool
    gross_output: bool
    joint: bool
    names: tuple[str, ...]  # of free inputs, then controls
    starts: int
    start: tuple[float, ...] | None


@dataclass(frozen=True)
class Solution:
    """One local minimum of the second stage: coefficients (p,) and what the criterion is there."""

    theta: np.ndarray
    criterion: float


@dataclass(frozen=True)
class Estimate:
    """Coefficients of free inputs, state, proxies (gross output only) and controls; expected output
    and its residual-free part.

    Attributes
    ----------
    beta : free, state, proxy, controls joined
    expected : (n,) output as the first stage predicts it; NaN without a first stage
    solutions : distinct minima of the second stage, the lowest first
    survival : (n,) predicted probability of being seen again; NaN where it is not predicted
    """

    beta: np.ndarray
    expected: np.ndarray
    solutions: tuple[Solution, ...]
    survival: np.ndarray


def estimate(panel: FirmPanel, plan: Plan, extra_starts: Sequence[np.ndarray] = ()) -> Estimate:
    """Both stages on one panel. With `extra_starts` (in a bootstrap) only those and the
    least-squares start are tried.
    """
    if plan.method == "wooldridge":
        return _wooldridge(panel, plan)
    survival = (
        survival_probability(panel, plan.order) if plan.attrition else np.full(len(panel.y), np.nan)
    )
    if plan.method == "acf":
        return _acf(panel, plan, survival, extra_starts)
    return _control_function(panel, plan, survival, extra_starts)


def _control_function(
    panel: FirmPanel, plan: Plan, survival: np.ndarray, extra: Sequence[np.ndarray]
) -> Estimate:
    """Olley-Pakes and Levinsohn-Petrin: free inputs from the partly linear first stage, state (and
    proxy) from the second.
    """
    wanted = np.hstack([panel.free, panel.controls])
    nuisance = polynomial(np.hstack([panel.state, panel.proxy]), plan.order)
    linear, fitted = partly_linear(panel.y, nuisance, wanted, plan.names)
    rest = plain.times(wanted, linear)
    inputs = np.hstack([panel.state, panel.proxy]) if plan.gross_output else panel.state
    stage = _SecondStage(panel, inputs, fitted - rest, panel.y - rest, survival, plan)
    if plan.gross_output:
        lagged_proxy = panel.proxy[panel.before]
        residuals = stage.moments(np.hstack([panel.state, lagged_proxy]))
    else:
        residuals = stage.innovations
    solutions = _minima(
        residuals, _starts(panel, inputs, plan, extra), stage.size, MET * float(panel.y.var())
    )
    free, controls = np.split(linear, [panel.free.shape[1]])
    return Estimate(
        np.concatenate([free, solutions[0].theta, controls]), fitted, solutions, survival
    )


def _acf(
    panel: FirmPanel, plan: Plan, survival: np.ndarray, extra: Sequence[np.ndarray]
) -> Estimate:
    """Ackerberg-Caves-Frazer: the first stage only takes out noise and controls; all inputs come
    from the second, by moments.
    """
    nuisance = polynomial(np.hstack([panel.free, panel.state, panel.proxy]), plan.order)
    controls, fitted = partly_linear(
        panel.y, nuisance, panel.controls, plan.names[panel.free.shape[1] :]
    )
    rest = plain.times(panel.controls, controls)
    proxies = panel.proxy if plan.gross_output else panel.proxy[:, :0]
    inputs = np.hstack([panel.free, panel.state, proxies])
    stage = _SecondStage(panel, inputs, fitted - rest, panel.y - rest, survival, plan)
    instruments = np.hstack([panel.free[panel.before], panel.state, proxies[panel.before]])
    solutions = _minima(
        stage.moments(instruments),
        _starts(panel, inputs, plan, extra),
        stage.size,
        MET * float(panel.y.var()),
    )
    return Estimate(np.concatenate([solutions[0].theta, controls]), fitted, solutions, survival)


class _SecondStage:
    """Innovations of productivity as a function of the coefficients that the first stage leaves
    open.

    w_t = phi_t - x_t theta; g, its expectation given w_t-1 (and the chance of survival), is the
    least-squares polynomial and so concentrated out.
    """

    def __init__(
        self,
        panel: FirmPanel,
        inputs: np.ndarray,
        phi: np.ndarray,
        net: np.ndarray,
        survival: np.ndarray,
        plan: Plan,
    ) -> None:
        usable = panel.before >= 0
        if plan.attrition:
            usable &= np.isfinite(np.where(panel.before >= 0, survival[panel.before], np.nan))
        self.now = np.flatnonzero(usable)
        self.then = panel.before[self.now]
        self.size = len(self.now)
        self.inputs, self.phi, self.net, self.plan = inputs, phi, net, plan
        self.chance = survival[self.then][:, None] if plan.attrition else np.zeros((self.size, 0))
        if self.size <= inputs.shape[1] + plan.transition_order + 1:
            raise ValueError(
                f"{self.size} rows have the same firm's row of the period before, too few for the"
                " second stage."
            )

    def _productivity(self, theta: np.ndarray) -> np.ndarray:
        return np.asarray(self.phi - plain.times(self.inputs, theta))

    def _expected_by(self, productivity: np.ndarray) -> np.ndarray:
        lagged = np.column_stack([productivity[self.then], self.chance])
        terms = polynomial(lagged, self.plan.transition_order)
        return independent(np.column_stack([np.ones(self.size), terms]))

    def innovations(self, theta: np.ndarray) -> np.ndarray:
        """What is left of output: net output less inputs less g. g is fitted on w_t (Petrin, Poi
        and Levinsohn 2004), or jointly (Olley and Pakes 1996).
        """
        productivity = self._productivity(theta)
        left = (self.net - plain.times(self.inputs, theta))[self.now]
        target = left if self.plan.joint else productivity[self.now]
        return np.asarray(left - projected(self._expected_by(productivity), target))

    def moments(self, instruments: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Z'xi in the metric of Z'Z, so that the scale of an instrument does not matter: as many as
        coefficients, so they can be zero.
        """
        z = independent(instruments[self.now])
        if z.shape[1] < self.inputs.shape[1]:
            raise ValueError(
                "the instruments of the second stage (current state, "
                "lagged free inputs) are collinear on rows with an earlier one."
            )

        def standardised(theta: np.ndarray) -> np.ndarray:
            productivity = self._productivity(theta)
            now = productivity[self.now]
            return plain.cross(z, now - projected(self._expected_by(productivity), now))

        return standardised


def _starts(
    panel: FirmPanel, inputs: np.ndarray, plan: Plan, extra: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """The caller's start, least squares, and points spread evenly over coefficients between 0 and 1
    (Halton's sequence).
    """
    width = inputs.shape[1]
    others = np.hstack([np.ones((len(panel.y), 1)), panel.free, panel.controls])
    slopes = plain.least_squares(np.hstack([inputs, others]), panel.y, NOTHING_LEFT)[:width]
    if extra:
        return [*extra, slopes]
    given = [] if plan.start is None else [np.asarray(plan.start, dtype=float)]
    if given and len(given[0]) != width:
        raise ValueError(
            f"start has {len(given[0])} numbers; the second stage has {width} coefficients (free"
            " inputs only for 'acf', state, proxies of gross output)."
        )
    return [*given, slopes, *qmc.Halton(width, scramble=False).random(plan.starts + 1)[1:]]


def _minima(
    residuals: Callable[[np.ndarray], np.ndarray],
    starts: Sequence[np.ndarray],
    size: int,
    met: float,
) -> tuple[Solution, ...]:
    """Distinct local minima of the mean squared residual, the lowest first. Of several at which all
    moments are met, that nearest the first start.
    """
    found = [
        solution
        for solution in (_descend(residuals, start, size) for start in starts)
        if solution is not None
    ]
    if not found:
        raise ValueError(
            "the second stage reached no minimum from any start. Check the scale of the "
            "inputs (logs are expected)."
        )

    def rank(solution: Solution) -> tuple[float, float]:
        return max(solution.criterion, met), float(
            np.sqrt(np.sum((solution.theta - starts[0]) ** 2))
        )

    distinct: list[Solution] = []
    for solution in sorted(found, key=rank):
        if all(
            np.max(np.abs(solution.theta - other.theta))
            > SAME_POINT * (1 + np.max(np.abs(other.theta)))
            for other in distinct
        ):
            distinct.append(solution)
    theta = _polished(residuals, distinct[0].theta)
    distinct[0] = Solution(theta, _criterion(residuals(theta), size))
    return tuple(distinct)


def _criterion(residuals: np.ndarray, size: int) -> float:
    return float(plain.dot(residuals, residuals)) / size


def _descend(
    residuals: Callable[[np.ndarray], np.ndarray], start: np.ndarray, size: int
) -> Solution | None:
    """Levenberg-Marquardt from one start; None where it runs off to infinity."""
    try:
        reached = optimize.least_squares(
            residuals,
            start,
            method="lm",
            xtol=1e-12,
            ftol=1e-14,
            gtol=1e-14,
            max_nfev=400 * len(start),
        ).x
    except (ValueError, ZeroDivisionError):
        return None
    return (
        Solution(reached, _criterion(residuals(reached), size))
        if np.all(np.isfinite(reached))
        else None
    )


def _polished(residuals: Callable[[np.ndarray], np.ndarray], theta: np.ndarray) -> np.ndarray:
    """Newton's steps on the sum of squares, until its derivative no longer falls: it is all
    rounding then.

    Derivatives of the residuals come from a complex step, which takes no difference and loses no
    digit.
    """
    slope = _slope(residuals, theta)
    for _ in range(POLISHING_STEPS):
        sides = [
            (_slope(residuals, theta + step), _slope(residuals, theta - step))
            for step in np.diag(NEARBY * (1 + np.abs(theta)))
        ]
        curvature = np.column_stack([above - below for above, below in sides]) / (
            2 * NEARBY * (1 + np.abs(theta))
        )
        trial = theta - plain.least_squares(curvature, slope, NOTHING_LEFT)
        reached = _slope(residuals, trial)
        if not np.max(np.abs(reached)) < np.max(np.abs(slope)):
            break
        theta, slope = trial, reached
    return theta


def _slope(residuals: Callable[[np.ndarray], np.ndarray], theta: np.ndarray) -> np.ndarray:
    """Half the derivative of the sum of squared residuals, (p,)."""
    moved = [residuals(theta + 1j * step) for step in np.diag(np.full(len(theta), COMPLEX_STEP))]
    return np.array([plain.dot(np.imag(one) / COMPLEX_STEP, np.real(one)) for one in moved])


def _wooldridge(panel: FirmPanel, plan: Plan) -> Estimate:
    """Wooldridge (2009), the second equation: y on inputs and a polynomial of lagged state and
    proxy, free inputs instrumented by their lags; with `joint` the first beside it, y on free
    inputs and a polynomial of current state and proxy, with the same elasticities.
    """
    now = np.flatnonzero(panel.before >= 0)
    then = panel.before[now]
    known = independent(
        np.column_stack(
            [np.ones(len(now)), polynomial(np.hstack([panel.state, panel.proxy])[then], plan.order)]
        )
    )
    exogenous = np.hstack([panel.state[now], panel.controls[now]])
    free = panel.free[now]

    def net(columns: np.ndarray) -> np.ndarray:
        return np.asarray(columns - projected(known, columns))

    regressors = net(np.hstack([free, exogenous]))
    z = independent(net(np.hstack([panel.free[then], exogenous])))
    if z.shape[1] < regressors.shape[1]:
        raise ValueError(
            "the lags of the free inputs, the state and the controls are collinear once the "
            "lagged polynomial is taken out."
        )
    y = net(panel.y[now])
    if plan.joint:
        theta = _jointly(_first_equation(panel, plan), (y, regressors, z))
    else:
        theta = plain.least_squares(plain.cross(z, regressors), plain.cross(z, y), NOTHING_LEFT)
    return Estimate(
        theta, np.full(len(panel.y), np.nan), (Solution(theta, 0.0),), np.full(len(panel.y), np.nan)
    )


Equation = tuple[np.ndarray, np.ndarray, np.ndarray]  # y, regressors, instruments, all net


def _first_equation(panel: FirmPanel, plan: Plan) -> Equation:
    """y on free inputs and controls, net of a polynomial of state and proxy, in which the state's
    own elasticity cannot be told from the rest; each is its own instrument. Every row counts.
    """
    nuisance = polynomial(np.hstack([panel.state, panel.proxy]), plan.order)
    known = independent(np.column_stack([np.ones(len(panel.y)), nuisance]))
    nothing = np.zeros_like(panel.state)
    columns = np.hstack([panel.free, nothing, panel.controls])
    regressors = columns - projected(known, columns)
    regressors[:, panel.free.shape[1] :][:, : nothing.shape[1]] = 0.0  # nothing, to the last bit
    y = np.asarray(panel.y - projected(known, panel.y))
    width = panel.free.shape[1]
    return (
        y,
        regressors,
        independent(np.delete(regressors, np.s_[width : width + nothing.shape[1]], 1)),
    )


def _jointly(*equations: Equation) -> np.ndarray:
    """Two-stage least squares of equations that share their coefficients, each with instruments of
    its own: sum X'P_Z X theta = sum X'P_Z y.
    """
    left: np.ndarray | float = 0.0
    right: np.ndarray | float = 0.0
    for y, regressors, z in equations:
        fitted = projected(z, regressors)
        left = left + plain.cross(fitted, regressors)
        right = right + plain.cross(fitted, y)
    return np.asarray(plain.least_squares(np.asarray(left), np.asarray(right), NOTHING_LEFT))
