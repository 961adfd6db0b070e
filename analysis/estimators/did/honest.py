"""How large a violation of parallel trends an event study can bear (Rambachan and Roth 2023, Review of Economic Studies 90).

With estimates beta = delta + tau (delta the difference in trends, zero in the base period; tau zero before treatment), intervals for
theta = sum of weights * tau hold for every delta allowed by

    relative_magnitude   after treatment, |delta_t+1 - delta_t| <= M * the largest |delta_s+1 - delta_s| before treatment
    smoothness           |(delta_t+1 - delta_t) - (delta_t - delta_t-1)| <= M in all periods; M = 0 is a straight line

Smoothness: the shortest interval of fixed length around an affine estimator (their section 4.1): weights on the estimates before
treatment are chosen to minimise the length with worst-case bias. Relative magnitude: inversion of the conditional test with a least
favourable first stage of size a tenth of alpha (their section 3.2, after Andrews, Roth and Pakes 2023), over the union of the
polyhedra in which one given period before treatment has the largest change. The moments used are those of the periods after
treatment. Theta enters them through one equation only, so the vertices of the dual problem can be written down: with
x_t = delta_t - delta_t-1 and L_t = sum of the weights from t on, they are the two signs of all |L_t| together, and one pair
(+x_t, -x_t) for each t.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg, optimize, special, stats

from analysis.estimators.core.options import Restriction
from analysis.estimators.did.aggregate import AggregateEffects
from analysis.estimators.did.sun_abraham import SunAbrahamResult
from analysis.estimators.did.twoway import EventStudyResult

SIMULATIONS = 20_000
GRID = 400


@dataclass(frozen=True, eq=False)
class HonestBounds:
    """Intervals by how much violation is allowed.

    Attributes
    ----------
    intervals : one row a value of M: m, lower, upper; the first row, m missing, is the usual interval under parallel trends
    breakdown : largest of the values given up to which the intervals leave out zero; missing if none does
    target : which event times theta averages, with their weights
    restriction, level : as asked
    """

    intervals: pd.DataFrame
    breakdown: float
    target: dict[float, float]
    restriction: Restriction
    level: float

    def to_frame(self) -> pd.DataFrame:
        return self.intervals

    def note(self) -> str:
        """One sentence: what was allowed, and how much of it the finding bears."""
        what = {"relative_magnitude": "changes up to M times the largest before treatment", "smoothness": "changes of slope up to M"}[self.restriction]
        bears = "no value given" if np.isnan(self.breakdown) else f"M = {self.breakdown:g}"
        return f"{self.level:.0%} intervals that allow {what} (Rambachan and Roth 2023); zero is left out up to: {bears}."


@dataclass(frozen=True)
class _Problem:
    beta: np.ndarray  # (p + q,) estimates before and after treatment, the base between them left out
    sigma: np.ndarray  # (p + q, p + q)
    p: int
    weights: np.ndarray  # (q,) of theta
    alpha: float


def honest_bounds(
    study: EventStudyResult | SunAbrahamResult | AggregateEffects,
    restriction: Restriction = "relative_magnitude",
    values: Sequence[float] = (0.0, 0.5, 1.0, 1.5, 2.0),
    *,
    target: float | dict[float, float] | None = None,
    level: float = 0.95,
    seed: int = 20230101,
) -> HonestBounds:
    """Intervals for an effect after treatment that hold under bounded violations of parallel trends.

    Parameters
    ----------
    study : an event study with one base period, -1, and consecutive event times on both sides of it; Callaway-Sant'Anna's dynamic
        average needs base="universal"
    values : of M; for smoothness in units of the outcome
    target : an event time, or weights by event time; None: the first one, 0
    seed : of the simulated first-stage critical value

    Raises
    ------
    ValueError : event times with gaps, another base, no period before the base, negative M, a target that was not estimated.
    """
    if restriction not in ("relative_magnitude", "smoothness"):
        raise ValueError(f"restriction = {restriction!r}: it is 'relative_magnitude' or 'smoothness'.")
    if not len(values) or min(values) < 0 or not 0 < level < 1:
        raise ValueError("values are zero or more, at least one, and level lies between 0 and 1.")
    events, beta, sigma = _event_times(study)
    p = int((events < -1).sum())
    weights, named = _target(events[p:], target)
    problem = _Problem(beta, sigma, p, weights, 1 - level)
    post = weights @ beta[p:]
    half = stats.norm.ppf((1 + level) / 2) * np.sqrt(weights @ sigma[p:, p:] @ weights)
    found = [{"m": np.nan, "lower": post - half, "upper": post + half}]
    for m in values:
        lower, upper = _smooth(problem, float(m)) if restriction == "smoothness" else _relative(problem, float(m), seed)
        found.append({"m": float(m), "lower": lower, "upper": upper})
    table = pd.DataFrame(found)
    return HonestBounds(table, _breakdown(table), named, restriction, level)


def _event_times(study: EventStudyResult | SunAbrahamResult | AggregateEffects) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Event times but the base (K,), their estimates (K,) and covariance (K, K)."""
    if isinstance(study, AggregateEffects):
        if study.kind != "dynamic":
            raise ValueError(f"kind = {study.kind!r}: the dynamic average is needed.")
        events = study.estimates["value"].to_numpy(dtype=float)
        terms = list(study.coefficients.index[1:])
        base = events[study.estimates["standard_error"].isna().to_numpy()]
        hint = " Estimate the group-time effects with base='universal'."
    else:
        events = study.estimates["event_time"].to_numpy(dtype=float)
        terms = list(study.estimates["term"])
        base, hint = np.array(study.base), ""
    if list(base) != [-1.0]:
        raise ValueError(f"the base has to be event time -1, and no other; it is {list(base)}.{hint}")
    if not np.array_equal(events, np.arange(events[0], events[-1] + 1)) or events[0] > -2 or events[-1] < 0:
        raise ValueError(f"event times have to be consecutive, with one before -1 and one from 0 on; they are {events.tolist()}.")
    kept = [term for term, event in zip(terms, events, strict=True) if event != -1]
    return events[events != -1], study.coefficients[kept].to_numpy(), study.covariance.loc[kept, kept].to_numpy()


def _target(events: np.ndarray, target: float | dict[float, float] | None) -> tuple[np.ndarray, dict[float, float]]:
    wanted = {0.0: 1.0} if target is None else dict(target) if isinstance(target, dict) else {float(target): 1.0}
    strangers = [event for event in wanted if event not in events]
    if strangers or not any(wanted.values()):
        raise ValueError(f"target {strangers or wanted} is not among the event times from 0 on ({events.tolist()}).")
    return np.array([wanted.get(float(event), 0.0) for event in events]), wanted


def _breakdown(table: pd.DataFrame) -> float:
    ordered = table.iloc[1:].sort_values("m")
    holds = ((ordered["lower"] > 0) | (ordered["upper"] < 0)).to_numpy()
    first_failure = int(np.argmin(holds)) if not holds.all() else len(holds)
    return float(ordered["m"].iloc[first_failure - 1]) if first_failure else float("nan")


def _smooth(problem: _Problem, m: float) -> tuple[float, float]:
    """The shortest fixed-length interval.

    An estimator has weights v on all estimates, those after treatment being theta's own. Its bias is finite only if it does not see
    straight lines (sum of v_t * t = 0, t counted from the base); it is then M times the sum of |b_j|, where b_j is the sum of v_t
    times the distance of t beyond the kink at j. The b_j of kinks before the base are free and determine the weights before treatment.
    """
    p, weights = problem.p, problem.weights
    q = len(weights)
    after = np.arange(1, q + 1)
    fixed = float(sum(abs(weights @ np.clip(after - j, 0, None)) for j in range(q)))
    times = np.arange(-p, 0)
    kinks = np.arange(-p + 1, 0)
    system = np.vstack([times, *(np.clip(j - times, 0, None) for j in kinks)]).astype(float)
    # v_before = start + move @ b
    inverse = linalg.inv(system)
    start, move = inverse[:, 0] * -(weights @ after), inverse[:, 1:]
    base = np.concatenate([start, weights])
    lift = np.vstack([move, np.zeros((q, len(kinks)))])
    root = _root(problem.sigma).T

    def half_length(b: np.ndarray) -> float:
        deviation = float(np.linalg.norm(root @ (base + lift @ b)))
        bias = m * (fixed + float(np.abs(b).sum()))
        return deviation * _folded_quantile(1 - problem.alpha, bias / deviation)

    best = _shortest(half_length, root @ base, root @ lift, m)
    centre, half = float((base + lift @ best) @ problem.beta), half_length(best)
    return centre - half, centre + half


def _folded_quantile(share: float, centre: float) -> float:
    """c with P(|N(centre, 1)| <= c) = share."""
    value = centre + float(special.ndtri(share))
    for _ in range(60):
        step = (special.ndtr(value - centre) - special.ndtr(-value - centre) - share) / (_density(value - centre) + _density(value + centre))
        value -= float(step)
        if abs(step) < 1e-14 * (1 + value):
            break
    return value


def _density(z: float) -> float:
    return float(np.exp(-z * z / 2) / np.sqrt(2 * np.pi))


def _shortest(half_length: Callable[[np.ndarray], float], base: np.ndarray, lift: np.ndarray, m: float) -> np.ndarray:
    """Minimise over b: smooth in the positive and the negative part of b, so both are variables."""
    k = lift.shape[1]
    if not k:
        return np.zeros(0)
    steady = -linalg.lstsq(lift, base)[0]  # least variance
    if m == 0:
        return np.asarray(steady)
    found = []
    scale = half_length(steady)
    for share in (1.0, 0.0):
        first = np.concatenate([np.clip(share * steady, 0, None), np.clip(-share * steady, 0, None)]) + 1e-6 * (1 + np.abs(steady).max())
        answer = optimize.minimize(
            lambda z: half_length(z[:k] - z[k:]) / scale, first, method="SLSQP", bounds=[(0, None)] * (2 * k), options={"maxiter": 500, "ftol": 1e-13}
        )
        polished = optimize.minimize(
            lambda b: half_length(b) / scale, answer.x[:k] - answer.x[k:], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000}
        )
        found.append(polished)
    return np.asarray(min(found, key=lambda candidate: half_length(candidate.x)).x)


def _relative(problem: _Problem, m: float, seed: int) -> tuple[float, float]:
    """Smallest and largest theta that some polyhedron does not reject."""
    p, weights = problem.p, problem.weights
    centre = float(weights @ problem.beta[p:])
    spread = float(np.sqrt(weights @ problem.sigma[p:, p:] @ weights))
    changes = _changes(problem)
    largest = np.abs(changes[:p] @ problem.beta).max() + 4 * np.sqrt(np.diag(changes[:p] @ problem.sigma @ changes[:p].T)).max()
    reach = 8 * spread + m * largest * np.abs(_tails(weights)).sum()
    noise = np.random.default_rng(seed).standard_normal((SIMULATIONS, len(problem.beta))) @ _root(problem.sigma).T
    tests = [_Test.build(problem, sign * change, m, noise) for change in changes[:p] for sign in (1.0, -1.0)]

    def accepted(theta: float) -> bool:
        return any(test.accepts(theta) for test in tests)

    grid = centre + reach * np.linspace(-1, 1, 2 * GRID + 1)
    inside = np.array([accepted(theta) for theta in grid])
    if not inside.any():
        return centre, centre
    step = grid[1] - grid[0]
    low, high = grid[inside][0], grid[inside][-1]
    return _edge(accepted, low, low - step), _edge(accepted, high, high + step)


def _edge(accepted: Callable[[float], bool], inside: float, outside: float) -> float:
    for _ in range(40):
        middle = (inside + outside) / 2
        if accepted(middle):
            inside = middle
        else:
            outside = middle
    return float(inside)


def _tails(weights: np.ndarray) -> np.ndarray:
    return np.cumsum(weights[::-1])[::-1]


def _changes(problem: _Problem) -> np.ndarray:
    """(p + q, p + q) rows that turn estimates into changes from one period to the next, those up to the base first."""
    k = len(problem.beta)
    with_base = np.insert(np.eye(k), problem.p, 0.0, axis=0)
    return np.diff(with_base, axis=0)


@dataclass(frozen=True)
class _Test:
    """The hybrid test for one polyhedron: values of the dual's vertices are `constant - theta * slope`."""

    constant: np.ndarray
    slope: np.ndarray
    covariance: np.ndarray
    first_stage: float
    alpha: float

    @staticmethod
    def build(problem: _Problem, largest: np.ndarray, m: float, noise: np.ndarray) -> _Test:
        """`largest` (K,) is the change before treatment that is taken to be the largest, with its sign; noise (draws, K) ~ N(0, sigma)."""
        p, tails = problem.p, _tails(problem.weights)
        after = _changes(problem)[p:]
        rows = np.vstack([after - m * largest, -after - m * largest])  # (2q, K): +x_t and -x_t, each less M * largest
        size = np.sqrt(np.clip(np.einsum("ij,jk,ik->i", rows, problem.sigma, rows), 0, None))
        q = len(tails)
        both = np.hstack([np.eye(q), np.eye(q)]) if q > 1 else np.zeros((0, 2))
        up = np.concatenate([np.clip(tails, 0, None), np.clip(-tails, 0, None)])
        down = np.concatenate([np.clip(-tails, 0, None), np.clip(tails, 0, None)])
        vertices = np.vstack([up, down, both])
        vertices = vertices / (vertices @ size)[:, None]
        # theta = weights * tau moves the estimates after treatment; only its direction through sum of L_t x_t is left in the vertices
        signed = vertices[:, :q] - vertices[:, q:]
        slope = np.zeros(len(vertices))
        first = int(np.argmax(np.abs(tails)))
        slope[:2] = signed[:2, first] / tails[first]
        covariance = vertices @ rows @ problem.sigma @ rows.T @ vertices.T
        kappa = problem.alpha / 10
        first_stage = float(np.quantile((noise @ (vertices @ rows).T).max(axis=1), 1 - kappa))
        return _Test(vertices @ rows @ problem.beta, slope, covariance, first_stage, (problem.alpha - kappa) / (1 - kappa))

    def accepts(self, theta: float) -> bool:
        values = self.constant - theta * self.slope
        best = int(np.argmax(values))
        value = float(values[best])
        if value > self.first_stage:
            return False
        if value <= 0:
            return True
        variance = self.covariance[best, best]
        if variance <= 1e-14 * self.covariance.max():
            return True
        # Given what is independent of the best vertex, it stays the best for values between these limits.
        direction = self.covariance[:, best] / variance
        rest = values - direction * value
        gain = direction - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            limits = -rest / gain
        lower = max(limits[gain < -1e-12], default=-np.inf)
        upper = min(min(limits[gain > 1e-12], default=np.inf), self.first_stage)
        deviation = float(np.sqrt(variance))
        critical = _truncated_quantile(1 - self.alpha, float(lower) / deviation, float(upper) / deviation) * deviation
        return value <= max(0.0, critical)


def _truncated_quantile(share: float, low: float, high: float) -> float:
    """Quantile of a standard normal between low and high, precise in both tails."""
    if low >= high:
        return high
    if low > 0:
        return float(-stats.norm.ppf(stats.norm.cdf(-high) + (1 - share) * (stats.norm.cdf(-low) - stats.norm.cdf(-high))))
    return float(stats.norm.ppf(stats.norm.cdf(low) + share * (stats.norm.cdf(high) - stats.norm.cdf(low))))


def _root(sigma: np.ndarray) -> np.ndarray:
    """Lower triangle whose square is sigma, which may be singular up to rounding.

    A triangle rather than eigenvectors: those of equal eigenvalues turn with the last bit of the input, and simulated numbers with them.
    """
    ridge = 1e-14 * np.trace(sigma) / len(sigma)
    return np.asarray(linalg.cholesky(sigma + ridge * np.eye(len(sigma)), lower=True))
