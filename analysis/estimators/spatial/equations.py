"""The equations of a spatial system: what is in them, their rows, and their instruments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.algebra import independent_columns
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import Where, columns_of
from analysis.estimators.spatial.sample import SpatialSample, spatial_sample, weights_phrase
from analysis.estimators.spatial.weights import SpatialWeights
from analysis.estimators.system.parts import check_identified, equation_of

LAG = "w_"


@dataclass(frozen=True)
class SpatialEquation:
    """One equation; by default all other outcomes and the lags of all outcomes are in it."""

    outcome: str
    regressors: Sequence[str]
    endogenous: Sequence[str] | None = None
    lagged: Sequence[str] | None = None
    constant: bool = True


@dataclass(frozen=True)
class Request:
    """What a spatial system is estimated from, as the caller gave it."""

    weights: SpatialWeights
    effects: Sequence[str]
    unit: str
    time: str | None
    where: Where | None
    auxiliary: Sequence[str]
    orders: int


@dataclass(frozen=True)
class Model:
    """Raw columns of the system, before effects are taken out.

    Attributes
    ----------
    sample : the rows asked for; whole, the same with all rows, from which lags are formed
    here : (m,) positions of the rows asked for among all
    y, x : outcomes and regressors of each equation, all rows
    z : (m, l) instruments, without combinations of earlier ones; their names, and the others'
    """

    request: Request
    parts: Mapping[str, SpatialEquation]
    whole: SpatialSample
    sample: SpatialSample
    here: np.ndarray
    effects: Effects
    terms: dict[str, tuple[str, ...]]
    y: list[np.ndarray]
    x: list[np.ndarray]
    z: np.ndarray
    instruments: tuple[str, ...]
    left_out: tuple[str, ...]

    def out(self, column: np.ndarray) -> np.ndarray:
        """A column of all rows, cut to those asked for, without the effects."""
        return self.effects.out(column[self.here])

    def lag(self, column: np.ndarray) -> np.ndarray:
        """W x of a column of all rows."""
        return self.whole.lag(column)

    @property
    def counted(self) -> np.ndarray:
        """Coefficients and effects of each equation."""
        return np.array([block.shape[1] + self.effects.rank for block in self.x])

    def check(self, x: list[np.ndarray], z: list[np.ndarray] | None) -> None:
        """Refuse an equation that its rows or instruments cannot carry."""
        check_identified(x, z, len(self.here) - self.effects.rank, self.terms)

    def settings(self) -> str:
        """Instruments, weights, effects and rows, for a note."""
        asked = self.request
        orders = range(1, asked.orders + 1)
        lags = ", ".join("WX" if order == 1 else f"W{order}X" for order in orders)
        said = [f"{len(self.instruments)} instruments from X, {lags}"]
        said.append(weights_phrase(asked.weights, self.sample))
        if asked.effects:
            said.append(f"{' and '.join(asked.effects)} effects taken out")
        if len(self.here) < len(self.whole.at):
            said.append(f"lags formed from all {len(self.whole.at):,} complete rows")
        return "; ".join(said)


def model_of(frame: pd.DataFrame, equations: Mapping[str, Any], asked: Request) -> Model:
    """Check the equations, read the rows, form lags from all of them and take those asked for.

    Raises
    ------
    ValueError : see spatial_three_stage.
    """
    parts = {name: equation_of(SpatialEquation, name, part) for name, part in equations.items()}
    exogenous = _check_parts(parts, asked)
    outcomes = list(dict.fromkeys(part.outcome for part in parts.values()))
    columns = [*outcomes, *exogenous, *asked.auxiliary]
    whole = spatial_sample(frame, columns, asked.weights, asked.unit, asked.time)
    sample, here = whole.asked(frame, asked.where)
    taken = sample.effects(asked.effects, asked.unit, asked.time)
    data = whole.values
    lagged = whole.lag(data[outcomes].to_numpy()).T
    known = {LAG + name: column for name, column in zip(outcomes, lagged, strict=True)}
    known |= {name: data[name].to_numpy() for name in data} | {CONSTANT: np.ones(len(data))}
    listed = {name: _columns(part, outcomes, asked) for name, part in parts.items()}
    z, names = _instruments(whole, exogenous, asked)
    free = independent_columns(taken.out(z[here]))
    labels = np.array(names, dtype=object)
    absorbed = CONSTANT if asked.effects else None
    return Model(
        request=asked,
        parts=parts,
        whole=whole,
        sample=sample,
        here=here,
        effects=taken,
        terms={name: tuple(f"{name}_{c}" for c in columns) for name, columns in listed.items()},
        y=[known[part.outcome] for part in parts.values()],
        x=[np.column_stack([known[c] for c in columns]) for columns in listed.values()],
        z=z[here][:, free],
        instruments=tuple(labels[free]),
        left_out=tuple(label for label in labels[~free] if label != absorbed),
    )


def _columns(part: SpatialEquation, outcomes: Sequence[str], asked: Request) -> list[str]:
    """The columns on the right of one equation."""
    others = [other for other in outcomes if other != part.outcome]
    endogenous = others if part.endogenous is None else list(part.endogenous)
    lagged = [part.outcome, *others] if part.lagged is None else list(part.lagged)
    front = [CONSTANT] if part.constant and not asked.effects else []
    lags = [LAG + name for name in lagged]
    return [*front, *lags, *endogenous, *part.regressors, *asked.auxiliary]


def _check_parts(parts: Mapping[str, SpatialEquation], asked: Request) -> list[str]:
    """The exogenous regressors of all equations, once these have been checked."""
    outcomes = [part.outcome for part in parts.values()]
    if not parts or len(set(outcomes)) < len(outcomes) or asked.orders < 1:
        what = "a spatial system has equations with different outcomes"
        raise ValueError(f"{what} ({outcomes}) and at least one power of W ({asked.orders}).")
    columns_of("auxiliary", asked.auxiliary, empty=True)
    for name, part in parts.items():
        columns_of(f"equation {name}: regressors", part.regressors, empty=True)
        named = [*(part.endogenous or ()), *(part.lagged or ())]
        unknown = [other for other in named if other not in outcomes]
        if unknown or part.outcome in (part.endogenous or ()):
            known = ", ".join(outcomes)
            what = f"endogenous and lagged name other outcomes of the system ({known})"
            raise ValueError(f"equation {name}: {what}; given {unknown or part.outcome}.")
    exogenous = list(dict.fromkeys(c for part in parts.values() for c in part.regressors))
    _refuse_twice(outcomes, exogenous, asked.auxiliary)
    return exogenous


def _refuse_twice(
    outcomes: Sequence[str],
    exogenous: Sequence[str],
    auxiliary: Sequence[str],
) -> None:
    lags = {LAG + name for name in outcomes}
    both = (set(outcomes) & set(exogenous)) | (set(auxiliary) & {*outcomes, *exogenous})
    both |= lags & {*outcomes, *exogenous, *auxiliary}
    if both:
        named = ", ".join(sorted(both))
        kinds = "an outcome, its lag, an exogenous regressor, an auxiliary column"
        raise ValueError(f"{named} is named twice ({kinds}): choose one.")


def _instruments(
    sample: SpatialSample,
    exogenous: list[str],
    asked: Request,
) -> tuple[np.ndarray, list[str]]:
    """Constant, X, auxiliary columns, WX, W2X, ... of all rows, with names."""
    powers = [sample.values[exogenous].to_numpy()]
    names = [CONSTANT, *exogenous, *asked.auxiliary]
    for order in range(1, asked.orders + 1):
        powers.append(sample.lag(powers[-1]))
        names += [f"w{order if order > 1 else ''}_{column}" for column in exogenous]
    one = np.ones((len(sample.values), 1))
    auxiliary = sample.values[list(asked.auxiliary)].to_numpy()
    return np.hstack([one, powers[0], auxiliary, *powers[1:]]), names
