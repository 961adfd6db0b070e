"""Mediation: does the treatment reach the outcome through the mediator?

    Y = c X + controls         total effect c
    M = a X + controls
    Y = c' X + b M + controls  direct effect c', indirect effect a b

on the rows that are complete in all of them. Standard errors of a b (Sobel 1982; Aroian 1944, which
Goodman 1960 gives as his first, with + s_a^2 s_b^2, beside his second, with - s_a^2 s_b^2):

    sobel       sqrt(b^2 s_a^2 + a^2 s_b^2)
    aroian      sqrt(b^2 s_a^2 + a^2 s_b^2 + s_a^2 s_b^2)    (Goodman I)
    goodman_ii  sqrt(b^2 s_a^2 + a^2 s_b^2 - s_a^2 s_b^2)

The product of two coefficients is not normal in small samples; the bootstrap makes no such
assumption.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.columns import check_columns, left_out, numbers, rows, usable_rows
from analysis.estimators.core.options import Where, columns_of, level_of
from analysis.estimators.core.registry import Regression
from analysis.estimators.core.result import Report, Test, glance_frame, tidy_frame
from analysis.estimators.core.sample import rows_asked


@dataclass(frozen=True, eq=False, kw_only=True)
class MediationResult(Report):
    """A mediation.

    Attributes
    ----------
    equations : "total", "mediator" and "direct", each the result of the estimator
    effects : rows total, direct, indirect, a, b; columns effect, standard_error (Sobel for the
        indirect one), statistic, p
    share_mediated : a b / c
    tests : "sobel", "aroian" (the same as "goodman_i") and "goodman_ii", normal
    draws : (B,) bootstrap draws of a b, empty without
    intervals : "percentile" and "bias_corrected" in rows, lower and upper; empty without bootstrap
    failed_draws : draws that could not be estimated, left out
    """

    treatment: str
    mediator: str
    outcome: str
    equations: Mapping[str, Any]
    effects: pd.DataFrame
    share_mediated: float
    tests: Mapping[str, Test]
    draws: np.ndarray
    intervals: pd.DataFrame
    level: float
    seed: int | None
    resampled: str
    failed_draws: int
    n: int
    dropped: Mapping[str, int]
    seconds: float

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """Rows total, direct, indirect, a and b; the interval of the indirect effect is the
        bootstrap's percentile interval where there is one.
        """
        table = self.effects
        df = np.array([self._df(name) for name in table.index])
        b, errors = table["effect"].to_numpy(), table["standard_error"].to_numpy()
        statistic, p = table["statistic"].to_numpy(), table["p"].to_numpy()
        found = tidy_frame(
            "mediation",
            list(table.index),
            b,
            errors,
            df=df,
            level=level,
            tested=(statistic, p),
        )
        if len(self.draws):
            tail = (1 - level_of(level)) / 2
            found.loc[found["term"] == "indirect", ["conf_low", "conf_high"]] = np.quantile(
                self.draws, [tail, 1 - tail]
            )
        return found

    def glance(self) -> pd.DataFrame:
        """One row: rows, share mediated, draws, tests."""
        values = {
            "method": "mediation",
            "outcome": self.outcome,
            "nobs": self.n,
            "share_mediated": self.share_mediated,
            "draws": len(self.draws),
        }
        return glance_frame(values, {}, self.tests)

    def _df(self, name: str) -> float:
        """Degrees of freedom of an effect's t; infinite where inference is normal, as of a
        product.
        """
        equation = {"total": "total", "direct": "direct", "a": "mediator", "b": "direct"}.get(name)
        df = None if equation is None else self.equations[equation].df_t
        return float("inf") if df is None else float(df)

    def _below(self) -> list[str]:
        tests = [str(test) for name, test in self.tests.items() if name != "goodman_i"]
        return [*tests, *([self.intervals.to_string()] if len(self.draws) else [])]

    def note(self) -> str:
        """One sentence: the path, the rows, the bootstrap, and what was left out."""
        failed = f", {self.failed_draws:,} more could not be estimated" if self.failed_draws else ""
        drawn = (
            f"; {len(self.draws):,} bootstrap draws of {self.resampled} with seed"
            f" {self.seed}{failed}"
            if len(self.draws)
            else ""
        )
        how = self.equations["direct"].convention
        return (
            f"mediation of {self.treatment} through {self.mediator} to {self.outcome},"
            f" {rows(self.n)}; standard errors {how}{drawn}; left out: {left_out(self.dropped)}."
        )


@dataclass(frozen=True)
class _Paths:
    """The three regressions; columns are outcome, treatment, mediator and controls."""

    run: Regression
    columns: list[str]

    def equations(self, data: pd.DataFrame) -> dict[str, Any]:
        outcome, treatment, mediator, *controls = self.columns
        return {
            "total": self.run(data, outcome, [treatment, *controls]),
            "mediator": self.run(data, mediator, [treatment, *controls]),
            "direct": self.run(data, outcome, [treatment, mediator, *controls]),
        }

    def indirect(self, data: pd.DataFrame) -> float:
        """a b, by the two regressions that it takes."""
        outcome, treatment, mediator, *controls = self.columns
        a = self.run(data, mediator, [treatment, *controls]).coefficients[treatment]
        b = self.run(data, outcome, [treatment, mediator, *controls]).coefficients[mediator]
        return float(a * b)

    def described(self, equations: Mapping[str, Any], resample: str | None) -> dict[str, Any]:
        outcome, treatment, mediator = self.columns[:3]
        said = dict.fromkeys(w for fit in equations.values() for w in fit.warnings)
        named = {"outcome": outcome, "treatment": treatment, "mediator": mediator}
        drawn = f"whole {resample}" if resample else "rows"
        return named | {"equations": equations, "resampled": drawn, "warnings": tuple(said)}


def mediation(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    mediator: str,
    controls: Sequence[str] = (),
    *,
    estimator: str = "linear_regression",
    options: Mapping[str, Any] | None = None,
    where: Where | None = None,
    bootstrap: int = 0,
    resample: str | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> MediationResult:
    """Estimate the three equations and test the indirect effect.

    Parameters
    ----------
    frame : nothing in it is modified
    estimator, options : the regression by its name in the registry, and its options:
        "fixed_effects" and {"effects": ["city_code", "year"],
        "covariance": {"cluster": ["city_code"]}}; a row that lacks a column that they name is left
        out
    where : rows to estimate on, a column or a mask
    bootstrap : draws; resample : column whose groups are drawn whole (city_code), default single
        rows. Each drawn group gets an id of its
        own, so that a city drawn twice is two cities to the estimator
    level : of the bootstrap intervals

    Raises
    ------
    ValueError : unknown or non-numeric columns, columns named twice, fewer than half of the draws
        that could be estimated, and what the estimator raises.
    """
    began = perf_counter()
    level_of(level)
    listed = columns_of("controls", controls, outcome=outcome, empty=True)
    paths = _Paths(Regression(estimator, options or {}), [outcome, treatment, mediator, *listed])
    others = list(dict.fromkeys([*paths.run.columns, *([resample] if resample else [])]))
    asked, outside = rows_asked(frame, where)
    data, dropped = _complete(asked, paths.columns, others)
    equations = paths.equations(data)
    effects, tests = _effects(equations, treatment, mediator)
    total, indirect = (float(effects["effect"][name]) for name in ("total", "indirect"))
    draws, failed = _bootstrap(data, paths, bootstrap, resample, seed, others)
    return MediationResult(
        **paths.described(equations, resample),
        effects=effects,
        tests=tests,
        draws=draws,
        failed_draws=failed,
        share_mediated=indirect / total,
        intervals=_intervals(draws, indirect, level),
        level=level,
        seed=seed if bootstrap else None,
        n=len(data),
        dropped=outside | dropped,
        seconds=perf_counter() - began,
    )


def _complete(
    frame: pd.DataFrame, columns: list[str], others: list[str]
) -> tuple[pd.DataFrame, dict[str, int]]:
    if len(set(columns)) < len(columns):
        raise ValueError(
            f"outcome, treatment, mediator and controls are different columns; given: {columns}."
        )
    check_columns(frame, [*columns, *others])
    keep, dropped = usable_rows(frame[others], numbers(frame, columns))
    return frame[keep], dropped


def _effects(
    equations: Mapping[str, Any], treatment: str, mediator: str
) -> tuple[pd.DataFrame, dict[str, Test]]:
    where = {
        "total": ("total", treatment),
        "direct": ("direct", treatment),
        "a": ("mediator", treatment),
        "b": ("direct", mediator),
    }
    table = {}
    for name, (equation, term) in where.items():
        fit = equations[equation]
        columns = fit.coefficients, fit.standard_errors, fit.t_statistics, fit.p_values
        table[name] = [float(column[term]) for column in columns]
    tests = _indirect_tests(table["a"], table["b"])
    (a, s_a), (b, s_b) = table["a"][:2], table["b"][:2]
    error = (b**2 * s_a**2 + a**2 * s_b**2) ** 0.5
    table["indirect"] = [a * b, error, tests["sobel"].statistic, tests["sobel"].p]
    rows_of = {name: table[name] for name in ("total", "direct", "indirect", "a", "b")}
    heads = ["effect", "standard_error", "statistic", "p"]
    return pd.DataFrame.from_dict(rows_of, orient="index", columns=heads), tests


def _indirect_tests(first: Sequence[float], second: Sequence[float]) -> dict[str, Test]:
    """Four variances of a b, from both paths and their standard errors."""
    (a, s_a), (b, s_b) = first[:2], second[:2]
    base, both = b**2 * s_a**2 + a**2 * s_b**2, s_a**2 * s_b**2
    variances = {"sobel": base, "aroian": base + both}
    variances |= {"goodman_i": base + both, "goodman_ii": base - both}
    tests = {}
    for name, squared in variances.items():
        # Goodman's second variance can be negative where both paths are weak; it then says nothing.
        z = a * b / squared**0.5 if squared > 0 else float("nan")
        p = float(2 * stats.norm.sf(abs(z)))
        tests[name] = Test(name, z, None, p, null="no indirect effect")
    return tests


def _bootstrap(
    data: pd.DataFrame,
    paths: _Paths,
    count: int,
    resample: str | None,
    seed: int,
    others: list[str],
) -> tuple[np.ndarray, int]:
    if not count:
        return np.empty(0), 0
    data = _in_own_order(data, paths.columns, others)
    codes = pd.factorize(data[resample], sort=True)[0] if resample else np.arange(len(data))
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    draw, found, failed = np.random.default_rng(seed), [], 0
    for _ in range(count):
        picked = draw.integers(len(members), size=len(members))
        taken = [members[i] for i in picked]
        sample = data.iloc[np.concatenate(taken)].reset_index(drop=True)
        if resample:
            sample[resample] = np.repeat(np.arange(len(taken)), [len(rows_of) for rows_of in taken])
        try:
            found.append(paths.indirect(sample))
        except ValueError:
            failed += 1
    if len(found) < count / 2:
        raise ValueError(
            f"{failed} of {count} bootstrap draws could not be estimated: the sample is too small,"
            " or needs resample= to draw whole groups."
        )
    return np.array(found), failed


def _in_own_order(data: pd.DataFrame, columns: list[str], others: list[str]) -> pd.DataFrame:
    """Rows sorted by the drawn groups, then by everything else: neither their order nor the
    spelling of ids must decide what a seed draws.
    """
    sorters = [pd.factorize(data[name], sort=True)[0] for name in reversed(others)]
    order = np.lexsort([*numbers(data, columns).to_numpy().T[::-1], *sorters])
    return data.iloc[order].reset_index(drop=True)


def _intervals(draws: np.ndarray, effect: float, level: float) -> pd.DataFrame:
    """Percentile interval, and the one shifted by the share of draws below the estimate (Efron
    1981).
    """
    if not len(draws):
        return pd.DataFrame(columns=["lower", "upper"])
    tail = (1 - level) / 2
    share = np.clip((draws < effect).mean(), 0.5 / len(draws), 1 - 0.5 / len(draws))
    shift = 2 * stats.norm.ppf(share)
    corrected = stats.norm.cdf(shift + stats.norm.ppf([tail, 1 - tail]))
    table = {
        "percentile": np.quantile(draws, [tail, 1 - tail]),
        "bias_corrected": np.quantile(draws, corrected),
    }
    return pd.DataFrame.from_dict(table, orient="index", columns=["lower", "upper"])
