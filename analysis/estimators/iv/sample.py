"""The rows and columns that an instrumented equation is estimated from.

Rows come from `core.sample`. What instruments add: frequency weights, and the refusal of columns
that the effects absorb or that are combinations of each other, instruments and regressors apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg

from analysis.estimators.core.columns import rows
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.groups import combined
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import (
    Covariance,
    IvEstimator,
    IvSmall,
    Singletons,
    WeightKind,
    Where,
)
from analysis.estimators.core.sample import Sample, Taking, read_sample
from analysis.estimators.iv.equation import Errors, Model, column_sizes

# A column counts as absorbed, or as a combination of others, when less than this share of its size
# is left.
NOTHING_LEFT = 1e-9


@dataclass(frozen=True, eq=False)
class Request:
    """The caller's columns and options, checked."""

    outcome: str
    endogenous: tuple[str, ...]
    instruments: tuple[str, ...]
    controls: tuple[str, ...]
    effects: tuple[str, ...]
    covariance: Covariance
    estimator: IvEstimator
    small: IvSmall
    weights: str | None
    weight_kind: WeightKind
    keys: tuple[str, ...] | None
    where: Where | None
    constant: bool
    singletons: Singletons

    @property
    def columns(self) -> list[str]:
        """Outcome, endogenous regressors, controls and instruments, in the order of the model's
        arrays."""
        return [self.outcome, *self.endogenous, *self.controls, *self.instruments]

    @property
    def repeats(self) -> bool:
        """Whether a row stands for as many equal rows as its weight says."""
        return self.weights is not None and self.weight_kind == "frequency"


def read_equation(frame: pd.DataFrame, request: Request) -> tuple[Model, Sample]:
    """Keep the complete rows, take the effects out, and say what was left out.

    Raises
    ------
    ValueError : a column that is missing or not numeric, repeated keys, bad weights, too few rows
        or clusters, a column that the effects absorb, or columns that are combinations of each
        other; the message names them.
    """
    repeated = [request.weights] if request.weights and request.repeats else []
    sample = read_sample(
        frame,
        [*request.columns, *repeated],
        request.effects,
        request.covariance.clusters,
        weights=request.weights,
        keys=request.keys,
        where=request.where,
        how=Taking(drop_singletons=request.singletons == "drop"),
    )
    weights = sample.column(-1) if repeated else sample.weights
    if repeated and (sample.column(-1) != np.round(sample.column(-1))).any():
        raise ValueError(
            f"column {request.weights!r} holds weights that are not whole numbers: a frequency"
            " weight says how many rows one stands for."
        )
    model = _model(sample, np.ones(sample.n) if weights is None else weights, request)
    _refuse_dependent(model)
    return model, sample


def _model(sample: Sample, weights: np.ndarray, request: Request) -> Model:
    raw = sample.columns[:, : len(request.columns)]
    effects = Effects(sample.of(request.effects) if request.effects else [], weights)
    within = effects.out(raw)
    _refuse_absorbed(raw, within, request.columns, request.effects)
    root = np.sqrt(weights)
    y, x1, x2, z1 = _parts(within * root[:, None], len(request.endogenous), len(request.controls))
    has_constant = request.constant and not request.effects
    mean = float(root @ y) / float(weights.sum())
    return Model(
        y=y,
        x1=x1,
        x2=np.column_stack([x2, root]) if has_constant else x2,
        z1=z1,
        names_x1=request.endogenous,
        names_x2=request.controls + ((CONSTANT,) if has_constant else ()),
        names_z1=request.instruments,
        errors=_errors(sample, request, root),
        n=float(weights.sum()) if request.repeats else float(sample.n),
        absorbed=effects.cost([sample.groups[name] for name in request.covariance.clusters]),
        total_centred=float(((y - root * mean) ** 2).sum()),
        total_raw=float(y @ y),
    )


def _parts(
    columns: np.ndarray, k1: int, k2: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Outcome (n,), endogenous regressors, controls and instruments of the columns (n, 1 + k1 + k2
    + l1)."""
    after = 1 + k1 + k2
    return columns[:, 0], columns[:, 1 : 1 + k1], columns[:, 1 + k1 : after], columns[:, after:]


def _errors(sample: Sample, request: Request, root: np.ndarray) -> Errors:
    clusters = request.covariance.clusters
    if not clusters:
        return Errors(request.covariance.kind, repeats=root if request.repeats else None)
    groups = tuple(sample.groups[name] for name in clusters)
    for name, (_, size) in zip(clusters, groups, strict=True):
        if size < 2:
            raise ValueError(
                f"the sample has one level of {name!r} only: clustered standard errors need at"
                " least two."
            )
    return Errors("cluster", groups, combined(groups) if len(groups) == 2 else None)


def _refuse_absorbed(
    raw: np.ndarray, within: np.ndarray, columns: Sequence[str], effects: Sequence[str]
) -> None:
    left, size = column_sizes(within), column_sizes(raw)
    gone = [name for name, a, b in zip(columns, left, size, strict=True) if a <= NOTHING_LEFT * b]
    if gone and effects:
        raise ValueError(
            f"{', '.join(gone)} does not vary once the {' and '.join(effects)} effects are taken"
            " out. Leave it out, or take out fewer effects."
        )
    if gone:
        raise ValueError(f"{', '.join(gone)} is zero in all rows. Leave it out.")


def _refuse_dependent(model: Model) -> None:
    """Refuse exogenous columns and instruments, or regressors, that are combinations of each other,
    and too few rows."""
    count = len(model.y)
    x1_last = np.roll(np.arange(model.k), -model.x1.shape[1])
    for inside, names, what in (
        (lambda: model.decomposition[1], model.names_x2 + model.names_z1, "instruments"),
        (
            lambda: model.x_on(model.q_all)[:, x1_last],
            model.names_x2 + model.names_x1,
            "regressors",
        ),
    ):
        width = len(names)
        if model.n <= width + model.absorbed or count <= width:
            raise ValueError(
                f"{rows(count)} cannot carry {width} {what} and effects that cost"
                f" {model.absorbed:,}. Use more rows, or fewer columns."
            )
        # In coordinates of an orthonormal basis, columns keep their sizes and angles.
        columns = inside()
        scaled = columns / column_sizes(columns)
        _, r, pivots = linalg.qr(scaled, mode="economic", pivoting=True)
        dependent = [
            names[pivots[i]] for i, left in enumerate(np.abs(np.diag(r))) if left <= NOTHING_LEFT
        ]
        if dependent:
            others = [name for name in names if name not in dependent]
            raise ValueError(
                f"{', '.join(dependent)} is a combination of {', '.join(others) or 'nothing'} among"
                f" the {what}. Leave one of them out."
            )
