"""Systems of linear equations: OLS, WLS, SUR, 2SLS, W2SLS and 3SLS.

Conventions and defaults are those of R's systemfit (Henningsen and Hamann 2007, J. Stat. Software 23(4)), so that a system estimated there
comes out the same here; Stata's reg3 is `residual_covariance="none", inference="normal"`, and its option dfk is "geomean".

Source: Zellner (1962) for SUR; Zellner and Theil (1962) for 3SLS; Schmidt (1990, Review of Economics and Statistics 72) for the formulas of
3SLS with different instruments by equation; Greene (2003), chapters 14 and 15.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.algebra import in_given_order, independent_columns
from analysis.estimators.core.columns import check_columns, numbers, refuse_duplicates, rows, usable_rows
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import ResidualCovariance, SystemFormula, SystemInference, SystemMethod
from analysis.estimators.core.result import Result, Test
from analysis.estimators.system.algebra import WITH_INSTRUMENTS, Blocks, Estimate, Options, build_blocks, estimate

NAMES = {
    "OLS": "ordinary least squares",
    "WLS": "weighted least squares",
    "SUR": "seemingly unrelated regressions",
    "2SLS": "two-stage least squares",
    "W2SLS": "weighted two-stage least squares",
    "3SLS": "three-stage least squares",
}


@dataclass(frozen=True)
class Equation:
    """One equation: the outcome, its regressors, whether it has a constant, and its own instruments where they differ."""

    outcome: str
    regressors: Sequence[str]
    constant: bool = True
    instruments: Sequence[str] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class SystemResult(Result):
    """A system. Terms are named <equation>_<regressor>; the constant is <equation>_constant.

    Attributes
    ----------
    equations : name -> its terms, in order
    df_by_term : degrees of freedom of the t distribution by term (they differ by equation); None where inference is normal
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
        p = 2 * (stats.norm.sf(size) if self.df_by_term is None else stats.t.sf(size, self.df_by_term.to_numpy()))
        return pd.Series(p, index=self.coefficients.index, name="p")

    def confidence_intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Lower and upper bounds by term at the given level (0-1)."""
        tail = (1 + level) / 2
        width = stats.norm.ppf(tail) if self.df_by_term is None else stats.t.ppf(tail, self.df_by_term.to_numpy())
        half = width * self.standard_errors
        return pd.DataFrame({"lower": self.coefficients - half, "upper": self.coefficients + half})

    def equation(self, name: str) -> pd.DataFrame:
        """The table of one equation, its terms under their own names."""
        if name not in self.equations:
            raise ValueError(f"there is no equation {name!r}; there are {', '.join(self.equations)}.")
        table = self.tidy()
        return table[table["equation"] == name].drop(columns="equation").set_index("term")

    def _names(self) -> tuple[list[str], list[str]]:
        pairs = [(name, term.removeprefix(f"{name}_")) for name, terms in self.equations.items() for term in terms]
        return [name for name, _ in pairs], [term for _, term in pairs]


@dataclass(frozen=True)
class SystemSample:
    """Complete rows in an order that does not depend on the frame's, with all columns as numbers."""

    values: pd.DataFrame
    dropped: dict[str, int]
    labels: pd.Index  # of the rows used, in the order of the frame
    order: np.ndarray  # position in `labels` of each row of `values`


def equation_system(
    frame: pd.DataFrame,
    equations: Mapping[str, Equation | tuple[str, Sequence[str]]],
    method: SystemMethod = "3SLS",
    instruments: Sequence[str] | None = None,
    *,
    residual_covariance: ResidualCovariance = "geomean",
    formula: SystemFormula = "GLS",
    iterations: int = 1,
    tolerance: float = 1e-5,
    restrictions: Sequence[tuple[Mapping[str, float], float]] = (),
    pooled_variance: bool | None = None,
    weighted_first: bool = False,
    centre: bool = False,
    inference: SystemInference | None = None,
    keys: Sequence[str] = (),
) -> SystemResult:
    """Estimate a system of linear equations on the rows that are complete in all of them.

    Parameters
    ----------
    frame : one row an observation, in any order; nothing in it is modified
    equations : name -> Equation, or (outcome, regressors); numeric columns
    method : "OLS", "WLS", "SUR", "2SLS", "W2SLS" or "3SLS"
    instruments : exogenous columns shared by all equations (the constant is added to those of an equation with `instruments=` absent);
        an Equation may name its own instead
    residual_covariance : divisor of the residual covariance: "none" (n), "geomean", "max" or "theil"; see system.algebra.residual_covariance
    formula : of 3SLS: "GLS", "IV", "Schmidt", "GMM" or "EViews"; they differ only where instruments differ by equation
    iterations : rounds of feasible GLS at most; more than one iterates until the relative change of the coefficients is within `tolerance`
    restrictions : pairs ({term: weight, ...}, value), each saying that the weighted sum of coefficients equals the value
    pooled_variance : one residual variance for all equations under OLS and 2SLS; default only with restrictions
    weighted_first : residuals of the first step come from WLS or W2SLS rather than OLS or 2SLS
    centre : take the mean off residuals before their covariance
    inference : "equation" (t, n - k_i), "system" (t, G n - k) or "normal"; default "equation", with restrictions "system"
    keys : columns that identify a row; two rows with the same are refused

    Raises
    ------
    ValueError : unknown or non-numeric columns, duplicate keys, collinear regressors, fewer instruments than regressors, a restriction on
        an unknown term, or too few rows; the message names them.
    """
    began = perf_counter()
    parts = {name: part if isinstance(part, Equation) else Equation(part[0], part[1]) for name, part in equations.items()}
    _check_call(parts, method, instruments, residual_covariance, formula, iterations, inference)
    chosen = {name: tuple(part.instruments if part.instruments is not None else instruments or ()) for name, part in parts.items()}
    needed = [column for name, part in parts.items() for column in (part.outcome, *part.regressors, *(chosen[name] if method in WITH_INSTRUMENTS else ()))]
    sample = system_sample(frame, list(dict.fromkeys(needed)), keys)
    y, x, terms = _sides(sample, parts)
    z, kept, left_out = _instruments(sample, chosen) if method in WITH_INSTRUMENTS else (None, dict.fromkeys(parts, ()), ())
    restricted, values, own = _restrictions(restrictions, terms)
    check_identified(x, z, parts, len(sample.values), {name: terms[name] for name in parts})
    blocks = build_blocks(y, x, z, restricted, values)
    counted = np.array([block.shape[1] for block in x]) - own
    options = Options(
        method, residual_covariance, formula, iterations, tolerance, bool(restrictions) if pooled_variance is None else pooled_variance,
        weighted_first, centre, counted,
    )  # fmt: skip
    inference = inference or ("system" if restrictions else "equation")
    fit = estimate(blocks, options)
    described = {"kept": kept, "left_out": left_out, "began": began, "formula": formula if method == "3SLS" else None}
    return assemble(fit, blocks, options, terms, {name: part.outcome for name, part in parts.items()}, sample, inference, described)


def hausman_systems(consistent: SystemResult, efficient: SystemResult, *, df: Literal["rank", "coefficients"] = "rank") -> Test:
    """Hausman's test of 3SLS against 2SLS: q'(V2 - V3)^- q, with q the difference of the coefficients.

    An equation that the others cannot help leaves rows of zeros in V2 - V3, so a generalised inverse is taken; `df` is its rank (Hausman and
    Taylor 1981), or the number of coefficients as R's systemfit prints. A negative statistic means V2 - V3 is not positive: no evidence.
    """
    if list(consistent.coefficients.index) != list(efficient.coefficients.index):
        raise ValueError("the two systems have different terms: estimate the same equations by both methods.")
    q = (consistent.coefficients - efficient.coefficients).to_numpy()
    spread = (consistent.covariance - efficient.covariance).to_numpy()
    # In units of the consistent standard errors, so that "zero" means the same for all coefficients.
    scale = consistent.standard_errors.to_numpy()
    roots, vectors = np.linalg.eigh(spread / np.outer(scale, scale))
    real = np.abs(roots) > 1e-8
    along = vectors[:, real].T @ (q / scale)
    statistic = float((along**2 / roots[real]).sum())
    count = int(real.sum()) if df == "rank" else len(q)
    return Test("Hausman 2SLS against 3SLS", statistic, count, float(stats.chi2.sf(statistic, count)), null="3SLS is consistent")


def system_sample(frame: pd.DataFrame, columns: list[str], keys: Sequence[str]) -> SystemSample:
    """Complete rows of the columns, sorted by the keys, or by all values where there are none."""
    check_columns(frame, [*columns, *keys])
    if keys:
        refuse_duplicates(frame[list(keys)][frame[list(keys)].notna().all(axis=1)], keys)
    values = numbers(frame, columns)
    keep, dropped = usable_rows(frame[list(keys)], values)
    values = values[keep]
    sorters = [pd.factorize(frame.loc[keep, key], sort=True)[0] for key in reversed(list(keys))] or list(values.to_numpy().T[::-1])
    order = np.lexsort(sorters) if len(values) else np.empty(0, dtype=int)
    return SystemSample(values.iloc[order], dropped, frame.index[keep], order)


def check_identified(x: list[np.ndarray], z: list[np.ndarray] | None, parts: Mapping[str, Equation], n: int, terms: Mapping[str, Sequence[str]]) -> None:
    """Refuse an equation that its rows or instruments cannot carry, naming it."""
    for i, name in enumerate(parts):
        k = x[i].shape[1]
        if n <= k:
            raise ValueError(f"equation {name}: {rows(n)} cannot carry {k} coefficients.")
        if z is not None and z[i].shape[1] < k:
            raise ValueError(f"equation {name} is not identified: {z[i].shape[1]} independent instruments for {k} coefficients. Add instruments.")
        for block, what in (
            (x[i], ""),
            *(((z[i] @ np.linalg.lstsq(z[i], x[i], rcond=None)[0], " once projected on the instruments"),) if z is not None else ()),
        ):
            dependent = [term.removeprefix(f"{name}_") for term, free in zip(terms[name], independent_columns(block), strict=True) if not free]
            if dependent:
                raise ValueError(f"equation {name}: {', '.join(dependent)} is a combination of the other regressors{what}. Leave one of them out.")


def assemble(
    fit: Estimate, blocks: Blocks, options: Options, terms: Mapping[str, tuple[str, ...]], outcomes: Mapping[str, str],
    sample: SystemSample, inference: SystemInference, described: Mapping[str, object], *, convention: str | None = None, extra_counted: int = 0,
) -> SystemResult:  # fmt: skip
    """The result of a fit; `described` holds kept and left-out instruments, the 3SLS formula and the start of the clock."""
    names = list(terms)
    index = [term for name in names for term in terms[name]]
    n, g = fit.residuals.shape
    total = blocks.starts[-1] - len(blocks.values) + extra_counted * g
    df = {"normal": None, "system": np.full(len(index), float(n * g - total)), "equation": np.repeat(n - options.counted, [len(terms[name]) for name in names])}
    by_term = df[inference]
    residuals = pd.DataFrame(in_given_order(fit.residuals, sample.order), index=sample.labels, columns=names)
    common = None if by_term is None or len(np.unique(by_term)) > 1 else float(by_term[0])
    formula = described["formula"]
    method = NAMES[options.method] + (f" ({formula} formula)" if formula not in (None, "GLS") else "") + (
        f", {fit.iterations} rounds" if options.iterations > 1 and fit.iterations else ""
    )  # fmt: skip
    kept = described["kept"]
    assert isinstance(kept, Mapping) and isinstance(described["left_out"], tuple) and isinstance(described["began"], float)
    return SystemResult(
        method=method,
        outcome=" and ".join(outcomes.values()),
        coefficients=pd.Series(fit.coefficients, index=index, name="coefficient"),
        covariance=pd.DataFrame(fit.covariance, index=index, columns=index),
        convention=convention or convention_of(options, inference),
        df_t=common,
        n=n,
        groups={"equations": g},
        dropped=sample.dropped,
        sample=sample.labels,
        seconds=perf_counter() - described["began"],
        equations=dict(terms),
        df_by_term=None if by_term is None else pd.Series(by_term.astype(float), index=index),
        residual_covariance=pd.DataFrame(fit.after, index=names, columns=names),
        residual_covariance_used=pd.DataFrame(fit.used, index=names, columns=names),
        residuals=residuals,
        r2=_r_squared(fit.residuals, blocks, names),
        mcelroy_r2=_mcelroy(fit, blocks),
        iterations=fit.iterations,
        instruments=kept,
        instruments_left_out=described["left_out"],
    )


def convention_of(options: Options, inference: SystemInference) -> str:
    divisors = {"none": "n", "geomean": "sqrt((n-k_i)(n-k_j))", "max": "n-max(k_i,k_j)", "theil": "n-k_i-k_j+tr(P_i P_j)"}
    distribution = {"equation": "t with the equation's degrees of freedom", "system": "t with the system's degrees of freedom", "normal": "normal"}
    variance = "one residual variance" if options.pooled_variance and options.method in ("OLS", "2SLS") else "residual covariance"
    return f"homoskedastic ({variance} over {divisors[options.residual_covariance]}, {distribution[inference]})"


def _check_call(
    parts: Mapping[str, Equation], method: str, instruments: Sequence[str] | None, divisor: str, formula: str, iterations: int, inference: str | None
) -> None:
    for value, allowed, what in (
        (method, get_args(SystemMethod), "method"),
        (divisor, get_args(ResidualCovariance), "residual_covariance"),
        (formula, get_args(SystemFormula), "formula"),
        (inference or "normal", get_args(SystemInference), "inference"),
    ):
        if value not in allowed:
            raise ValueError(f"{what} = {value!r}: it is one of {', '.join(allowed)}.")
    if not parts or iterations < 1:
        raise ValueError("a system has at least one equation and one round of estimation.")
    for name, part in parts.items():
        given = list(part.regressors)
        if isinstance(part.regressors, str) or len(set(given)) < len(given) or part.outcome in given or CONSTANT in given:
            raise ValueError(f"equation {name}: regressors are a list of different columns, without the outcome {part.outcome!r} and none called constant.")
        if not given and not part.constant:
            raise ValueError(f"equation {name} has neither regressors nor a constant.")
        if method in WITH_INSTRUMENTS and part.instruments is None and not instruments:
            raise ValueError(f"{method} needs instruments: name them for all equations, or in equation {name}.")


def _sides(sample: SystemSample, parts: Mapping[str, Equation]) -> tuple[list[np.ndarray], list[np.ndarray], dict[str, tuple[str, ...]]]:
    one = np.ones((len(sample.values), 1))
    y = [sample.values[part.outcome].to_numpy() for part in parts.values()]
    x = [np.hstack([*([one] if part.constant else []), sample.values[list(part.regressors)].to_numpy()]) for part in parts.values()]
    terms = {name: tuple(f"{name}_{term}" for term in (*([CONSTANT] if part.constant else []), *part.regressors)) for name, part in parts.items()}
    return y, x, terms


def _instruments(sample: SystemSample, chosen: Mapping[str, tuple[str, ...]]) -> tuple[list[np.ndarray], dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Instruments with a constant in front; columns that repeat earlier ones are left out and told."""
    z, kept, left_out = [], {}, []
    for name, columns in chosen.items():
        block = np.hstack([np.ones((len(sample.values), 1)), sample.values[list(columns)].to_numpy()])
        free = independent_columns(block)
        z.append(block[:, free])
        kept[name] = tuple(label for label, keep in zip((CONSTANT, *columns), free, strict=True) if keep)
        left_out += [label for label, keep in zip((CONSTANT, *columns), free, strict=True) if not keep]
    return z, kept, tuple(dict.fromkeys(left_out))


def _restrictions(
    restrictions: Sequence[tuple[Mapping[str, float], float]], terms: Mapping[str, tuple[str, ...]]
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray]:
    """(r, k) weights, (r,) values, and how many restrictions lie inside each equation (they free a degree of freedom there)."""
    own = np.zeros(len(terms), dtype=int)
    if not restrictions:
        return None, None, own
    index = {term: i for i, term in enumerate(term for group in terms.values() for term in group)}
    weights = np.zeros((len(restrictions), len(index)))
    for row, (wanted, _) in enumerate(restrictions):
        unknown = [term for term in wanted if term not in index]
        if unknown or not wanted:
            raise ValueError(f"restriction {row + 1} names {', '.join(unknown) or 'no term'}; terms are {', '.join(index)}.")
        for term, weight in wanted.items():
            weights[row, index[term]] = weight
        inside = [i for i, group in enumerate(terms.values()) if set(wanted) <= set(group)]
        own[inside] += 1
    if np.linalg.matrix_rank(weights) < len(weights):
        raise ValueError("the restrictions repeat or contradict each other: leave out those that follow from the rest.")
    return weights, np.array([float(value) for _, value in restrictions]), own


def _r_squared(residuals: np.ndarray, blocks: Blocks, names: list[str]) -> pd.Series:
    total = [float(((y - y.mean()) ** 2).sum()) for y in blocks.y]
    return pd.Series(1 - (residuals**2).sum(axis=0) / np.array(total), index=names, name="r2")


def _mcelroy(fit: Estimate, blocks: Blocks) -> float:
    """1 - e'(S^-1 x I)e / y'(S^-1 x (I - 11'/n))y, with S at the estimate."""
    weight = np.linalg.inv(fit.after)
    y = np.column_stack([v - v.mean() for v in blocks.y])
    return 1 - float((weight * (fit.residuals.T @ fit.residuals)).sum()) / float((weight * (y.T @ y)).sum())
