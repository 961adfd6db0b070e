"""The result of a system: coefficients by equation, fit, tests of the instruments, warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.algebra import in_given_order
from analysis.estimators.core.inference import heavy_tails
from analysis.estimators.core.options import SystemInference
from analysis.estimators.core.result import Caution, Result
from analysis.estimators.system.algebra import WITH_INSTRUMENTS, Blocks, Estimate, Options
from analysis.estimators.system.first_stage import InstrumentTests, instrument_tests
from analysis.estimators.system.parts import SystemSample

NAMES = {
    "OLS": "ordinary least squares",
    "WLS": "weighted least squares",
    "SUR": "seemingly unrelated regressions",
    "2SLS": "two-stage least squares",
    "W2SLS": "weighted two-stage least squares",
    "3SLS": "three-stage least squares",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class SystemResult(Result):
    """A system. Terms are named <equation>_<regressor>; the constant is <equation>_constant.

    Attributes
    ----------
    equations : name -> its terms, in order
    df_by_term : degrees of freedom of the t distribution by term (they differ by equation); None
        where inference is normal
    residual_covariance : (G, G) at the estimate
    residual_covariance_used : (G, G) that entered the estimate
    residuals : (n, G), indexed as the rows used
    r2 : by equation, 1 - e'e / sum((y - mean)^2)
    mcelroy_r2 : of the system, McElroy (1977)
    iterations : rounds of feasible GLS; 0 for OLS and 2SLS
    instruments : equation -> instruments used (empty without)
    instruments_left_out : columns that were combinations of earlier instruments
    """

    equations: Mapping[str, tuple[str, ...]]
    df_by_term: pd.Series | None
    residual_covariance: pd.DataFrame
    residual_covariance_used: pd.DataFrame
    residuals: pd.DataFrame
    r2: pd.Series
    mcelroy_r2: float
    iterations: int
    instruments: Mapping[str, tuple[str, ...]]
    instruments_left_out: tuple[str, ...]

    @property
    def p_values(self) -> pd.Series:
        size = np.abs(self.t_statistics.to_numpy())
        df = self.df_by_term
        p = 2 * (stats.norm.sf(size) if df is None else stats.t.sf(size, df.to_numpy()))
        return pd.Series(p, index=self.coefficients.index, name="p")

    def confidence_intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Lower and upper bounds by term at the given level (0-1)."""
        tail, df = (1 + level) / 2, self.df_by_term
        width = stats.norm.ppf(tail) if df is None else stats.t.ppf(tail, df.to_numpy())
        half = width * self.standard_errors
        return pd.DataFrame({"lower": self.coefficients - half, "upper": self.coefficients + half})

    def equation(self, name: str) -> pd.DataFrame:
        """The table of one equation, its terms under their own names."""
        if name not in self.equations:
            there = ", ".join(self.equations)
            raise ValueError(f"there is no equation {name!r}; there are {there}.")
        table = self.tidy()
        return table[table["equation"] == name].drop(columns="equation").set_index("term")

    def _fit(self) -> dict[str, Any]:
        shares = {f"r2_{name}": float(value) for name, value in self.r2.items()}
        return shares | {"mcelroy_r2": self.mcelroy_r2, "iterations": self.iterations}

    def _names(self) -> tuple[list[str], list[str]]:
        both = [(name, term) for name, terms in self.equations.items() for term in terms]
        return [name for name, _ in both], [term.removeprefix(f"{name}_") for name, term in both]


@dataclass(frozen=True)
class Described:
    """What a result says of a system besides its numbers.

    Attributes
    ----------
    terms, outcomes : by equation
    inference, convention : how p-values are computed, and the phrase of the standard errors
    kept, left_out : instruments by equation, and those that were combinations of others
    groups : grouping -> levels
    began : start of the clock
    taken : rank of the effects that were taken out
    """

    terms: Mapping[str, tuple[str, ...]]
    outcomes: Mapping[str, str]
    inference: SystemInference
    kept: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...]
    groups: Mapping[str, int]
    began: float
    taken: int = 0


def result_fields(
    fit: Estimate,
    blocks: Blocks,
    options: Options,
    sample: SystemSample,
    described: Described,
) -> dict[str, Any]:
    """The fields of the result of a fit."""
    names = list(described.terms)
    index = [term for terms in described.terms.values() for term in terms]
    by_term = _degrees(fit, blocks, options, described)
    common = None if by_term is None or len(np.unique(by_term)) > 1 else float(by_term[0])
    residuals = in_given_order(fit.residuals, sample.order)
    tested = _tested(blocks, options, described)
    warned = (*_warnings(fit, options, described), *tested.warnings, *_heavy(sample, described))
    return {
        "method": _method(fit, options),
        "outcome": " and ".join(described.outcomes.values()),
        "coefficients": pd.Series(fit.coefficients, index=index, name="coefficient"),
        "covariance": pd.DataFrame(fit.covariance, index=index, columns=index),
        "convention": convention_of(options, described.inference),
        "df_t": common,
        "n": len(fit.residuals),
        "groups": {**described.groups, "equations": len(names)},
        "dropped": sample.dropped,
        "sample": sample.labels,
        "tests": tested.tests,
        "warnings": warned,
        "equations": dict(described.terms),
        "df_by_term": None if by_term is None else pd.Series(by_term, index=index),
        "residual_covariance": pd.DataFrame(fit.after, index=names, columns=names),
        "residual_covariance_used": pd.DataFrame(fit.used, index=names, columns=names),
        "residuals": pd.DataFrame(residuals, index=sample.labels, columns=names),
        "r2": _r_squared(fit.residuals, blocks, names),
        "mcelroy_r2": _mcelroy(fit, blocks),
        "iterations": fit.iterations,
        "instruments": described.kept,
        "instruments_left_out": described.left_out,
        "seconds": perf_counter() - described.began,
    }


def _degrees(
    fit: Estimate,
    blocks: Blocks,
    options: Options,
    described: Described,
) -> np.ndarray | None:
    """Degrees of freedom of t by term (k,); None where inference is normal."""
    if described.inference == "normal":
        return None
    n, g = fit.residuals.shape
    sizes = [len(terms) for terms in described.terms.values()]
    if described.inference == "equation":
        return np.repeat(n - options.counted, sizes).astype(float)
    total = blocks.starts[-1] - len(blocks.values) + described.taken * g
    return np.full(sum(sizes), float(n * g - total))


def _method(fit: Estimate, options: Options) -> str:
    other = options.method == "3SLS" and options.formula != "GLS"
    formula = f" ({options.formula} formula)" if other else ""
    rounds = f", {fit.iterations} rounds" if options.iterations > 1 and fit.iterations else ""
    return NAMES[options.method] + formula + rounds


def _tested(blocks: Blocks, options: Options, described: Described) -> InstrumentTests:
    if options.method not in WITH_INSTRUMENTS or blocks.z is None:
        return InstrumentTests({}, ())
    x = [block @ np.linalg.inv(turn) for block, turn in zip(blocks.x, blocks.back, strict=True)]
    return instrument_tests(described.terms, blocks.y, x, blocks.z, described.taken)


def _heavy(sample: SystemSample, described: Described) -> Iterator[Caution]:
    """Outcomes of which a few rows decide."""
    for outcome in dict.fromkeys(described.outcomes.values()):
        yield from heavy_tails(outcome, sample.values[outcome].to_numpy(dtype=float))


def _warnings(fit: Estimate, options: Options, described: Described) -> tuple[Caution, ...]:
    found = []
    for name in described.left_out:
        text = f"{name} was left out of the instruments: a combination of others."
        found.append(Caution("omitted", text))
    if not fit.converged:
        text = f"The coefficients still moved after {fit.iterations} rounds."
        found.append(Caution("no_convergence", text, "Allow more iterations, or one only."))
    if np.linalg.eigvalsh(fit.used)[0] <= 0:
        text = "The covariance of residuals that was used is not positive definite."
        found.append(Caution("not_semidefinite", text, "Use residual_covariance = 'geomean'."))
    return tuple(found)


def convention_of(options: Options, inference: SystemInference) -> str:
    """How the standard errors were computed."""
    divisors = {
        "none": "n",
        "geomean": "sqrt((n-k_i)(n-k_j))",
        "max": "n-max(k_i,k_j)",
        "theil": "n-k_i-k_j+tr(P_i P_j)",
    }
    distribution = {
        "equation": "t with the equation's degrees of freedom",
        "system": "t with the system's degrees of freedom",
        "normal": "normal",
    }
    pooled = options.pooled_variance and options.method in ("OLS", "2SLS")
    variance = "one residual variance" if pooled else "residual covariance"
    over = f"{variance} over {divisors[options.residual_covariance]}"
    return f"homoskedastic ({over}, {distribution[inference]})"


def _r_squared(residuals: np.ndarray, blocks: Blocks, names: list[str]) -> pd.Series:
    total = [float(((y - y.mean()) ** 2).sum()) for y in blocks.y]
    return pd.Series(1 - (residuals**2).sum(axis=0) / np.array(total), index=names, name="r2")


def _mcelroy(fit: Estimate, blocks: Blocks) -> float:
    """1 - e'(S^-1 x I)e / y'(S^-1 x (I - 11'/n))y, with S at the estimate."""
    weight = np.linalg.inv(fit.after)
    y = np.column_stack([v - v.mean() for v in blocks.y])
    rest, total = fit.residuals.T @ fit.residuals, y.T @ y
    return 1 - float((weight * rest).sum()) / float((weight * total).sum())
