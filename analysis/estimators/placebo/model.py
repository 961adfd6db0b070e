"""Placebo by permutation: the estimate beside those of treatments that were drawn at random.

Three ways to draw, by `level`:

    unit   the treatment path of each unit (city) goes to another one, drawn without repetition: the same number of treated units, at the
           same dates (`dates = "kept"`); or as many units as are treated, each from a date drawn at random (`dates = "drawn"`)
    cell   values are shuffled over unit-periods (city-years)
    row    values are shuffled over rows

Every draw is estimated exactly as the true treatment is, with its standard error: outcome and controls are residualised once (Frisch,
Waugh and Lovell), and draws by unit or cell are collapsed to unit-periods where that is exact (analysis.estimators.placebo.cells).
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.absorb import Absorber
from analysis.estimators.core.collinear import independent_columns
from analysis.estimators.core.columns import rows
from analysis.estimators.core.groups import Group
from analysis.estimators.core.options import CovarianceKind, EffectsSmall, PlaceboDates, PlaceboLevel, checked
from analysis.estimators.core.result import Result, Test
from analysis.estimators.core.sample import Sample, read_sample
from analysis.estimators.core.sandwich import LevelCount, small_sample
from analysis.estimators.core.tall import cross
from analysis.estimators.placebo.cells import CellDraws, collapses
from analysis.estimators.placebo.draws import Cells, allowed_dates, cells_of, drawn_dates, moved_paths, shuffled
from analysis.estimators.placebo.engine import RowDraws, Setting, setting

Names = tuple[str, str, str]

KIND_NAMES = {"iid": "homoskedastic", "robust": "robust", "cluster": "clustered"}


@dataclass(frozen=True, eq=False, kw_only=True)
class PlaceboResult(Result):
    """The estimate and its placebos; coefficients and covariance hold the true treatment's.

    Attributes
    ----------
    draws : by draw, from 1: coefficient, standard_error, t, p; missing where the effects absorb a draw, or where a two-way variance is negative
    level, dates, seed : how they were drawn
    beyond : draws at least as far from zero as the estimate (ties count), over the draws with a coefficient
    beyond_t : the same of t
    p_empirical : (1 + draws as far from zero) / (1 + draws), two-sided, the true assignment counted as one of the draws
    rejected : share of draws whose own p is below 5 per cent: near 0.05 where the standard errors are right
    undefined : draws without a coefficient
    collapsed : whether draws were collapsed to unit-periods
    """

    treatment: str
    draws: pd.DataFrame
    level: PlaceboLevel
    dates: PlaceboDates | None
    seed: int
    beyond: float
    beyond_t: float
    p_empirical: float
    rejected: float
    undefined: int
    collapsed: bool

    def density(self, points: int = 201) -> pd.DataFrame:
        """For a figure: Gaussian kernel density of the drawn coefficients (Scott's bandwidth) and the normal of their mean and deviation.

        Returns
        -------
        frame (points,) : coefficient, density, normal; the range holds every draw and the estimate
        """
        drawn = self.draws["coefficient"].dropna().to_numpy()
        deviation = float(drawn.std(ddof=1)) if len(drawn) > 1 else 0.0
        if not deviation > 0:
            raise ValueError("the drawn coefficients do not differ: they have no density.")
        truth = float(self.coefficients[self.treatment])
        low, high = min(drawn.min(), truth) - deviation, max(drawn.max(), truth) + deviation
        grid = np.linspace(low, high, points)
        normal = stats.norm.pdf(grid, drawn.mean(), deviation)
        return pd.DataFrame({"coefficient": grid, "density": stats.gaussian_kde(drawn)(grid), "normal": normal})

    def note(self) -> str:
        """One sentence: what was drawn, how often, and how the estimate stands among the draws."""
        lost = f", {self.undefined:,} of them without a coefficient" if self.undefined else ""
        left_out = "; ".join(f"{rows(count)} ({reason})" for reason, count in self.dropped.items()) or "no rows"
        return (
            f"{self.method}, {len(self.draws):,} draws (seed {self.seed}){lost}, {rows(self.n)}: {100 * self.beyond:.1f} % as far from zero as the estimate "
            f"{self.coefficients[self.treatment]:.4g}, empirical p {self.p_empirical:.4f}; standard errors {self.convention}; left out: {left_out}."
        )


def placebo(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    controls: Sequence[str] = (),
    effects: Sequence[str] = ("city_code", "year"),
    cluster: str | Sequence[str] | None = None,
    *,
    level: PlaceboLevel = "unit",
    unit: str = "city_code",
    time: str = "year",
    dates: PlaceboDates = "kept",
    date_choices: Sequence[object] | None = None,
    draws: int = 1000,
    seed: int = 20200101,
    robust: bool = False,
    weights: str | None = None,
    keys: Sequence[str] | None = None,
    convention: EffectsSmall = "reghdfe_nested",
    singletons: Literal["keep", "drop"] = "keep",
) -> PlaceboResult:
    """Estimate the treatment's coefficient, and those of `draws` treatments drawn at random.

    Parameters
    ----------
    frame, outcome, controls, effects, cluster, robust, weights, keys, convention, singletons : as in `fixed_effects`
    treatment : numeric column; by unit or cell it is the same in all rows of a unit-period
    level : what is shuffled, see the module's text
    unit, time : columns of the unit and the period, needed by unit and by cell
    dates : by unit, dates of the treated units "kept" or "drawn"
    date_choices : periods that dates are drawn from; all but the first of the sample if not given
    draws : how many
    seed : of the generator (PCG64); the same seed gives the same draws whatever the order of the rows

    Raises
    ------
    ValueError : what `fixed_effects` raises; a treatment that differs within a unit-period or, where the panel has gaps or dates are drawn, that
        is not a dummy that starts once and stays.
    """
    begun = clock.perf_counter()
    clusters = (cluster,) if isinstance(cluster, str) else tuple(cluster or ())
    _check_call(outcome, treatment, controls, clusters, robust, level, dates, draws)
    by_cell = level != "row"
    columns = [outcome, treatment, *controls]
    others = [*clusters, *((unit, time) if by_cell else ())]
    sample = read_sample(frame, columns, effects, others, weights=weights, keys=keys, drop_singletons=singletons == "drop")
    count = LevelCount(sample.of(effects))
    kind: CovarianceKind = "cluster" if clusters else "robust" if robust else "iid"
    paid = small_sample(checked("convention", convention, EffectsSmall), sample.n, len(columns) - 1, count, [sample.groups[name] for name in clusters])
    shared = _shared(sample, columns, tuple(effects), kind, clusters, paid.factor)
    names = (treatment, unit, time)
    cells = cells_of(sample.columns[:, 1], sample.groups[unit], sample.groups[time], names) if by_cell else None
    dated = _periods(frame, sample, time, date_choices) if level == "unit" and dates == "drawn" else []
    engine, expand = _engine(shared, cells, sample.of(effects))
    truth = cells.treatment if cells is not None else sample.columns[:, 1]
    b, variance = engine.statistics(expand(np.asarray(truth, dtype=float)[:, None]))
    table = _estimated(engine, expand, _drawn(truth, cells, names, level, dated, draws, seed), draws, paid.df_t)
    standing = _standing(table, float(b[0]), float(b[0] / np.sqrt(variance[0])))
    clustered = f" by {' and '.join(clusters)}" if clusters else ""
    return PlaceboResult(
        method=f"placebo of {treatment} with {_what(names, level, dates)}",
        outcome=outcome,
        treatment=treatment,
        coefficients=pd.Series(b, index=[treatment], name="coefficient"),
        covariance=pd.DataFrame(variance[:, None], index=[treatment], columns=[treatment]),
        convention=f"{KIND_NAMES[kind]}{clustered} as in {convention.replace('_', ' ')}, t with {paid.df_t:,} degrees of freedom",
        df_t=paid.df_t,
        n=sample.n,
        groups={name: sample.groups[name][1] for name in effects},
        dropped=sample.dropped,
        sample=sample.labels,
        tests={"placebo": Test("permutation test", float(b[0]), None, standing["p_empirical"], null="the treatment is unrelated to the outcome")},
        beyond=standing["beyond"],
        beyond_t=standing["beyond_t"],
        p_empirical=standing["p_empirical"],
        rejected=standing["rejected"],
        undefined=int(table["coefficient"].isna().sum()),
        draws=table,
        level=level,
        dates=dates if level == "unit" else None,
        seed=seed,
        collapsed=isinstance(engine, CellDraws),
        seconds=clock.perf_counter() - begun,
    )


def _check_call(outcome: str, treatment: str, controls: Sequence[str], clusters: Sequence[str], robust: bool, level: str, dates: str, draws: int) -> None:
    if isinstance(controls, str) or len({outcome, treatment, *controls}) < 2 + len(controls):
        raise ValueError(f"outcome, treatment and controls must be different columns, controls a list; given: {outcome}, {treatment}, {controls}.")
    if level not in ("unit", "cell", "row") or dates not in ("kept", "drawn"):
        raise ValueError(f"level = {level!r} and dates = {dates!r}: level is unit, cell or row, dates are kept or drawn.")
    if clusters and robust:
        raise ValueError("clustered errors are robust already: give cluster or robust, not both.")
    if len(clusters) > 2 or len(set(clusters)) < len(clusters):
        raise ValueError(f"errors can be clustered by one column or by two different ones; given: {list(clusters)}.")
    if draws < 1:
        raise ValueError(f"draws = {draws}: at least one is needed.")


def _shared(sample: Sample, columns: list[str], effects: tuple[str, ...], kind: CovarianceKind, clusters: tuple[str, ...], factor: float) -> Setting:
    """Outcome and controls residualised; an error if the true treatment or a control cannot be estimated."""
    absorber = Absorber(sample.of(effects), sample.weights)
    within = absorber.residualise(sample.columns)
    moments = cross(within, within if sample.weights is None else within * sample.weights[:, None])
    independent_columns(within, moments, sample, columns, effects, drop=False)
    return setting(np.delete(within, 1, axis=1), sample.weights, absorber, kind, [sample.groups[name] for name in clusters], factor)


def _periods(frame: pd.DataFrame, sample: Sample, time: str, choices: Sequence[object] | None) -> list[int]:
    used = frame[time] if sample.keep is None else frame[time][sample.keep]
    return allowed_dates(sorted(used.unique()), choices, time)


def _drawn(truth: np.ndarray, cells: Cells | None, names: Names, level: PlaceboLevel, dated: list[int], draws: int, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.Generator(np.random.PCG64(seed))
    if cells is None or level == "cell":
        return shuffled(truth, draws, rng)
    if dated:
        return drawn_dates(cells, names, dated, draws, rng)
    return moved_paths(cells, names, draws, rng)


class _Engine(Protocol):
    @property
    def at_once(self) -> int: ...

    def statistics(self, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


def _engine(shared: Setting, cells: Cells | None, effects: Sequence[Group]) -> tuple[_Engine, Callable[[np.ndarray], np.ndarray]]:
    """The engine, and how a draw becomes what it wants: by cell where that is exact, else by row."""
    if cells is None:
        return RowDraws(shared), lambda drawn: drawn
    if collapses(cells, effects, shared):
        return CellDraws(shared, cells, effects), lambda drawn: drawn
    return RowDraws(shared), lambda drawn: drawn[cells.codes]


def _estimated(engine: _Engine, expand: Callable[[np.ndarray], np.ndarray], drawn: Iterator[np.ndarray], draws: int, df: float) -> pd.DataFrame:
    """Coefficient, standard error, t and p of each draw."""
    found = []
    while batch := list(islice(drawn, engine.at_once)):
        columns = np.empty((len(batch[0]), len(batch)))
        for at, draw in enumerate(batch):
            columns[:, at] = draw
        found.append(np.column_stack(engine.statistics(expand(columns))))
    b, variance = np.vstack(found).T
    error = np.sqrt(np.where(variance > 0, variance, np.nan))
    t = b / error
    table = {"coefficient": b, "standard_error": error, "t": t, "p": 2 * stats.t.sf(np.abs(t), df)}
    return pd.DataFrame(table, index=pd.RangeIndex(1, draws + 1, name="draw"))


def _standing(table: pd.DataFrame, b: float, t: float) -> dict[str, float]:
    """How far out the estimate is among the draws."""
    drawn, drawn_t = (table[name].dropna().to_numpy() for name in ("coefficient", "t"))
    if not len(drawn):
        raise ValueError("the effects absorb every draw: there is nothing to compare the estimate with. Draw by another level, or take out fewer effects.")
    # A draw that gives back the true assignment may differ from it in the last digits and still ties with it.
    far = np.abs(drawn) >= np.abs(b) * (1 - 1e-10)
    return {
        "beyond": float(far.mean()),
        "beyond_t": float((np.abs(drawn_t) >= np.abs(t) * (1 - 1e-10)).mean()) if len(drawn_t) else float("nan"),
        "p_empirical": (1 + int(far.sum())) / (1 + len(drawn)),
        "rejected": float((table["p"].dropna() < 0.05).mean()) if len(drawn_t) else float("nan"),
    }


def _what(names: Names, level: PlaceboLevel, dates: PlaceboDates) -> str:
    if level == "row":
        return "values shuffled over rows"
    if level == "cell":
        return f"values shuffled over {names[1]} and {names[2]}"
    return f"treated {names[1]} drawn at random, " + ("dates as they were" if dates == "kept" else "each from a date drawn at random")
