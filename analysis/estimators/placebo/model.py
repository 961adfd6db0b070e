"""Placebo by permutation: the estimate beside those of treatments that were drawn at random.

Three ways to draw, by `draw_by`:

    unit   the treatment path of each unit (city) goes to another one, drawn without repetition: the
           same number of treated units, at the same dates (`dates = "kept"`); or as many units as
           are treated, each from a date drawn at random (`dates = "drawn"`). In a panel with gaps
           paths that are no dummy that stays move between units seen in the same periods
    cell   values are shuffled over unit-periods (city-years)
    row    values are shuffled over rows

Every draw is estimated exactly as the true treatment is, with its standard error: outcome and
controls are residualised once (Frisch, Waugh and Lovell), and draws by unit or cell are collapsed
to unit-periods where that is exact (analysis.estimators.placebo.cells).
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.absorb import Absorber
from analysis.estimators.core.collinear import independent_columns
from analysis.estimators.core.columns import left_out, rows
from analysis.estimators.core.groups import Group
from analysis.estimators.core.options import (
    CovarianceOption,
    EffectsSmall,
    PlaceboDates,
    PlaceboDrawBy,
    Singletons,
    Where,
    checked,
    columns_of,
    covariance_of,
)
from analysis.estimators.core.result import Result, Test
from analysis.estimators.core.sample import Sample, Taking, read_sample
from analysis.estimators.core.tall import cross
from analysis.estimators.placebo.asked import Drawing, DrawnRegression
from analysis.estimators.placebo.cautions import cautions
from analysis.estimators.placebo.cells import CellDraws, collapses
from analysis.estimators.placebo.draws import (
    Cells,
    cells_of,
)
from analysis.estimators.placebo.engine import RowDraws, Setting, setting


@dataclass(frozen=True, eq=False, kw_only=True)
class PlaceboResult(Result):
    """The estimate and its placebos; coefficients and covariance hold the true treatment's.

    Attributes
    ----------
    draws : by draw, from 1: coefficient, standard_error, t, p; missing where the effects absorb a
        draw, or where a two-way variance is negative
    draw_by, dates, seed : how they were drawn
    beyond : draws at least as far from zero as the estimate (ties count), over the draws with a
        coefficient
    beyond_t : the same of t; missing where the estimate has none
    p_empirical : (1 + draws as far from zero) / (1 + draws), two-sided, the true assignment counted
        as one of the draws
    rejected : share of draws whose own p is below 5 per cent: near 0.05 where the standard errors
        are right
    undefined : draws without a coefficient
    collapsed : whether draws were collapsed to unit-periods
    """

    treatment: str
    draws: pd.DataFrame
    draw_by: PlaceboDrawBy
    dates: PlaceboDates | None
    seed: int
    beyond: float
    beyond_t: float
    p_empirical: float
    rejected: float
    undefined: int
    collapsed: bool

    def _fit(self) -> dict[str, Any]:
        shares = ("p_empirical", "beyond", "beyond_t", "rejected", "undefined")
        return {"draws": len(self.draws)} | {name: getattr(self, name) for name in shares}

    def density(self, points: int = 201) -> pd.DataFrame:
        """For a figure: kernel density of the drawn coefficients, and the normal beside it.

        Gaussian kernel, Scott's bandwidth; the normal has the draws' mean and deviation.

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
        return pd.DataFrame(
            {"coefficient": grid, "density": stats.gaussian_kde(drawn)(grid), "normal": normal}
        )

    def note(self) -> str:
        """One sentence: what was drawn, how often, and how the estimate stands among the draws."""
        lost = f", {self.undefined:,} of them without a coefficient" if self.undefined else ""
        drawn = f"{len(self.draws):,} draws (seed {self.seed}){lost}"
        beyond = f"{100 * self.beyond:.1f} % as far from zero as the estimate"
        estimate = self.coefficients[self.treatment]
        return (
            f"{self.method}, {drawn}, {rows(self.n)}: {beyond} {estimate:.4g}, empirical p "
            f"{self.p_empirical:.4f}; standard errors {self.convention}; left out: "
            f"{left_out(self.dropped)}."
        )


def placebo(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    controls: Sequence[str] = (),
    effects: Sequence[str] = ("city_code", "year"),
    *,
    unit: str = "city_code",
    time: str = "year",
    covariance: CovarianceOption = "iid",
    small: EffectsSmall = "reghdfe_nested",
    weights: str | None = None,
    keys: Sequence[str] | None = None,
    where: Where | None = None,
    draw_by: PlaceboDrawBy = "unit",
    dates: PlaceboDates = "kept",
    date_choices: Sequence[object] | None = None,
    singletons: Singletons = "keep",
    draws: int = 1000,
    seed: int = 20200101,
) -> PlaceboResult:
    """Estimate the treatment's coefficient, and those of `draws` treatments drawn at random.

    Parameters
    ----------
    frame, outcome, controls, effects, covariance, small, weights, keys, where, singletons : as in
        `fixed_effects`; treatments are drawn among the rows used
    treatment : numeric column; by unit or cell it is the same in all rows of a unit-period
    unit, time : columns of the unit and the period, needed by unit and by cell
    draw_by : what is shuffled, see the module's text
    dates : by unit, dates of the treated units "kept" or "drawn"
    date_choices : periods that dates are drawn from; all but the first of the sample if not given
    draws : how many
    seed : of the generator (PCG64); the same seed gives the same draws whatever the order of rows

    Raises
    ------
    ValueError : what `fixed_effects` raises; a treatment that differs within a unit-period or,
        where dates are drawn, that is not a dummy that starts once and stays, or that has no two
        units seen in the same periods.
    """
    begun = clock.perf_counter()
    columns = _check_call(outcome, treatment, controls, draws)
    drawing = Drawing((treatment, unit, time), draw_by, dates, date_choices, draws, seed)
    regression = DrawnRegression(columns, tuple(effects), covariance_of(covariance), small)
    others = [*regression.errors.clusters, *((unit, time) if drawing.by_cell else ())]
    drop = checked("singletons", singletons, Singletons) == "drop"
    sample = read_sample(
        frame,
        columns,
        effects,
        others,
        weights=weights,
        keys=keys,
        where=where,
        how=Taking(drop_singletons=drop),
    )
    return _result(_Estimated.on(frame, sample, regression, drawing), begun)


@dataclass(frozen=True)
class _Estimated:
    """The estimate b with its variance, and those of all draws."""

    sample: Sample
    regression: DrawnRegression
    drawing: Drawing
    cells: Cells | None
    df: int
    b: float
    variance: float
    table: pd.DataFrame
    collapsed: bool

    @staticmethod
    def on(
        frame: pd.DataFrame, sample: Sample, regression: DrawnRegression, drawing: Drawing
    ) -> _Estimated:
        paid, (_, unit, time) = regression.paid(sample), drawing.names
        shared = _shared(sample, regression, paid.factor)
        values, cells = sample.columns[:, 1], None
        if drawing.by_cell:
            cells = cells_of(values, sample.groups[unit], sample.groups[time], drawing.names)
        choices = drawing.periods(frame, sample)
        engine, expand = _engine(shared, cells, sample.of(regression.effects))
        truth = values if cells is None else cells.treatment
        b, variance = engine.statistics(expand(np.asarray(truth, dtype=float)[:, None]))
        drawn = drawing.drawn(truth, cells, choices)
        table = _estimated(engine, expand, drawn, drawing.draws, paid.df_t)
        found = paid.df_t, float(b[0]), float(variance[0]), table, isinstance(engine, CellDraws)
        return _Estimated(sample, regression, drawing, cells, *found)

    @property
    def t(self) -> float:
        """Missing where a two-way variance is negative: there is then no standard error."""
        return self.b / np.sqrt(self.variance) if self.variance > 0 else float("nan")


def _result(found: _Estimated, begun: float) -> PlaceboResult:
    sample, regression, drawing = found.sample, found.regression, found.drawing
    treatment = drawing.names[0]
    standing = _standing(found.table, found.b, float(found.t))
    null = "the treatment is unrelated to the outcome"
    test = Test("permutation test", found.b, None, standing["p_empirical"], null=null)
    undefined = int(found.table["coefficient"].isna().sum())
    drawn = (undefined, drawing.draws)
    return PlaceboResult(
        method=f"placebo of {treatment} with {drawing.text()}",
        outcome=regression.columns[0],
        treatment=treatment,
        coefficients=pd.Series([found.b], index=[treatment], name="coefficient"),
        covariance=pd.DataFrame([[found.variance]], index=[treatment], columns=[treatment]),
        convention=regression.convention(found.df),
        df_t=found.df,
        n=sample.n,
        groups={name: sample.groups[name][1] for name in regression.effects},
        dropped=sample.dropped,
        sample=sample.labels,
        tests={"placebo": test},
        warnings=cautions(
            regression.errors,
            sample,
            found.cells,
            drawing.names,
            found.variance,
            drawn,
            drawing.draw_by == "unit",
        ),
        undefined=undefined,
        draws=found.table,
        draw_by=drawing.draw_by,
        dates=drawing.dates if drawing.draw_by == "unit" else None,
        seed=drawing.seed,
        collapsed=found.collapsed,
        seconds=clock.perf_counter() - begun,
        **standing,
    )


def _check_call(outcome: str, treatment: str, controls: Sequence[str], draws: int) -> list[str]:
    """The numeric columns, in the order of the regression."""
    listed = columns_of("controls", controls, outcome=outcome, empty=True)
    if treatment in (outcome, *listed):
        raise ValueError(f"treatment {treatment!r} is the outcome or among the controls.")
    if draws < 1:
        raise ValueError(f"draws = {draws}: at least one is needed.")
    return [outcome, treatment, *listed]


def _shared(sample: Sample, regression: DrawnRegression, factor: float) -> Setting:
    """Outcome and controls residualised; an error if a regressor cannot be estimated."""
    absorber = Absorber(sample.of(regression.effects), sample.weights)
    within = absorber.residualise(sample.columns)
    weighted = within if sample.weights is None else within * sample.weights[:, None]
    moments, columns = cross(within, weighted), regression.columns
    independent_columns(within, moments, sample, columns, regression.effects, drop=False)
    clusters = [sample.groups[name] for name in regression.errors.clusters]
    left = np.delete(within, 1, axis=1)
    return setting(left, sample.weights, absorber, regression.errors.kind, clusters, factor)


class _Engine(Protocol):
    @property
    def at_once(self) -> int: ...

    def statistics(self, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


def _engine(
    shared: Setting, cells: Cells | None, effects: Sequence[Group]
) -> tuple[_Engine, Callable[[np.ndarray], np.ndarray]]:
    """The engine, and how a draw becomes what it wants: by cell where that is exact, else
    by row.
    """
    if cells is None:
        return RowDraws(shared), lambda drawn: drawn
    if collapses(cells, effects, shared):
        return CellDraws(shared, cells, effects), lambda drawn: drawn
    return RowDraws(shared), lambda drawn: drawn[cells.codes]


def _estimated(
    engine: _Engine,
    expand: Callable[[np.ndarray], np.ndarray],
    drawn: Iterator[np.ndarray],
    draws: int,
    df: float,
) -> pd.DataFrame:
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
        raise ValueError(
            "the effects absorb every draw: there is nothing to compare the estimate with. "
            "Draw by something else, or take out fewer effects."
        )
    # A draw that gives back the true assignment may differ from it in the last digits and still
    # ties with it.
    far = np.abs(drawn) >= np.abs(b) * (1 - 1e-10)
    return {
        "beyond": float(far.mean()),
        "beyond_t": (
            float((np.abs(drawn_t) >= np.abs(t) * (1 - 1e-10)).mean())
            if len(drawn_t) and np.isfinite(t)
            else float("nan")
        ),
        "p_empirical": (1 + int(far.sum())) / (1 + len(drawn)),
        "rejected": float((table["p"].dropna() < 0.05).mean()) if len(drawn_t) else float("nan"),
    }
