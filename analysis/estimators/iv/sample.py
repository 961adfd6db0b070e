"""What the instrumental-variable estimators compute from: weighted columns without their effects, and the covariance of sums.

All columns are multiplied by the square root of the weight, so that plain cross products are weighted ones, and the absorbed effects
are taken out of all of them. The constant, where there are no effects, is the last exogenous regressor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg

from analysis.estimators.core.columns import check_columns, numbers, refuse_duplicates, usable_rows
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.groups import Group, combined, numbered
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import CovarianceKind, WeightKind
from analysis.estimators.core.sums import crossed_sums

# A column counts as absorbed, or as a combination of others, when less than this share of its size is left.
NOTHING_LEFT = 1e-9


@dataclass(frozen=True, eq=False)
class Errors:
    """What is assumed of the errors: equal and independent, independent, or dependent inside clusters.

    Attributes
    ----------
    kind : "iid", "robust" or "cluster"
    groups : clusters of the rows, one grouping a cluster column
    crossed : the crossing of two cluster columns, None for one
    repeats : (n,) square root of frequency weights, None for other weights
    """

    kind: CovarianceKind
    groups: tuple[Group, ...] = ()
    crossed: Group | None = None
    repeats: np.ndarray | None = None

    @property
    def clusters(self) -> int:
        """Clusters; of two cluster columns the fewer."""
        return min(size for _, size in self.groups)

    def covariance_of_sums(self, scores: np.ndarray) -> np.ndarray:
        """Covariance (m, m) of the column sums of scores (n, m) without the iid assumption, no small-sample factor.

        Two cluster columns: the sum of both covariances less that of their crossing (Cameron, Gelbach and Miller 2011, equation 2.11).
        """
        if self.kind != "cluster":
            # A row that stands for w equal rows counts w times, not w squared times.
            part = scores if self.repeats is None else scores / self.repeats[:, None]
            return np.asarray(part.T @ part)
        total = sum((crossed_sums(group, scores) for group in self.groups), np.zeros((scores.shape[1],) * 2))
        return total if self.crossed is None else total - crossed_sums(self.crossed, scores)

    def moment_covariance(self, instruments: np.ndarray, residual: np.ndarray, n: float) -> np.ndarray:
        """Covariance (l, l) of the sums of instruments (n, l) times residual (n,); n is the number of observations that rows stand for."""
        if self.kind == "iid":
            return np.asarray(float(residual @ residual) / n * (instruments.T @ instruments))
        return self.covariance_of_sums(instruments * residual[:, None])


@dataclass(frozen=True, eq=False)
class Model:
    """The columns of one equation, weighted and without effects.

    Attributes
    ----------
    y : (n,) outcome
    x1, x2, z1 : (n, k1), (n, k2), (n, l1) endogenous regressors, exogenous regressors, excluded instruments
    names_x1, names_x2, names_z1 : their names, in the caller's order, the constant last in x2
    errors : what is assumed of the errors
    n : observations; the sum of frequency weights where there are such
    absorbed : degrees of freedom that the effects cost
    total_centred, total_raw : weighted sums of squares of the outcome about its mean (its within variation, with effects) and about zero
    """

    y: np.ndarray
    x1: np.ndarray
    x2: np.ndarray
    z1: np.ndarray
    names_x1: tuple[str, ...]
    names_x2: tuple[str, ...]
    names_z1: tuple[str, ...]
    errors: Errors
    n: float
    absorbed: int
    total_centred: float
    total_raw: float

    @property
    def x(self) -> np.ndarray:
        """(n, k) regressors, the endogenous first."""
        return np.hstack([self.x1, self.x2])

    @property
    def z(self) -> np.ndarray:
        """(n, l) instruments, the exogenous regressors first."""
        return np.hstack([self.x2, self.z1])

    @property
    def terms(self) -> tuple[str, ...]:
        return self.names_x1 + self.names_x2

    @property
    def k(self) -> int:
        return self.x1.shape[1] + self.x2.shape[1]

    @property
    def l1(self) -> int:
        return self.z1.shape[1]

    @property
    def df_instruments(self) -> float:
        """Observations less instruments less what the effects cost."""
        return self.n - self.x2.shape[1] - self.l1 - self.absorbed

    @property
    def df_regressors(self) -> float:
        """Observations less regressors less what the effects cost."""
        return self.n - self.k - self.absorbed

    def f_from_chi2(self, chi2: float, restrictions: int, df: float) -> float:
        """A Wald statistic in large-sample form as F; df is what is left after the columns of that regression."""
        if self.errors.kind == "cluster":
            g = self.errors.clusters
            return chi2 / restrictions * (g - 1) / g * df / (self.n - 1)
        return chi2 / restrictions * df / self.n

    def f_df2(self, df: float) -> float:
        return self.errors.clusters - 1 if self.errors.kind == "cluster" else df


@dataclass(frozen=True)
class Request:
    """The caller's column names and options that decide on the sample."""

    outcome: str
    endogenous: tuple[str, ...]
    instruments: tuple[str, ...]
    exogenous: tuple[str, ...]
    effects: tuple[str, ...]
    clusters: tuple[str, ...]
    weights: str | None
    weight_kind: WeightKind
    robust: bool
    constant: bool
    keys: tuple[str, ...]
    drop_singletons: bool

    @property
    def numeric(self) -> list[str]:
        named = [self.outcome, *self.endogenous, *self.exogenous, *self.instruments]
        return named + ([self.weights] if self.weights else [])


@dataclass(frozen=True, eq=False)
class Sample:
    """The model and which rows went into it."""

    model: Model
    groups: dict[str, int]
    dropped: dict[str, int]
    labels: pd.Index
    rows: int


def build_sample(frame: pd.DataFrame, request: Request) -> Sample:
    """Check the columns, keep the complete rows, take the effects out and say what was left out.

    Raises
    ------
    ValueError : a column that is missing or not numeric, repeated keys, bad weights, too few rows, a column that the effects absorb,
        or columns that are combinations of each other; the message names them.
    """
    names = list(dict.fromkeys([*request.effects, *request.clusters, *request.keys]))
    check_columns(frame, list(dict.fromkeys([*request.numeric, *names])))
    if request.keys:
        known = frame[list(request.keys)].notna().all(axis=1)
        refuse_duplicates(frame.loc[known.to_numpy(), list(request.keys)], request.keys)
    values = numbers(frame, list(dict.fromkeys(request.numeric)))
    keep, dropped = usable_rows(frame[names], values)
    if request.weights:
        _drop_weightless(values[request.weights].to_numpy(), request, keep, dropped)
    if request.drop_singletons:
        _drop_singletons(frame[list(request.effects)], keep, dropped)
    if not keep.any():
        left_out = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
        raise ValueError(f"no row of {len(frame):,} is complete (left out: {left_out or 'the frame is empty'}).")
    labels, values = frame.loc[keep, names], values.loc[keep]
    # Rows are put in the order of their values, so that neither the input's order nor the kind of its ids can move a digit.
    order = np.lexsort([*(pd.factorize(labels[name])[0] for name in reversed(names)), *values.to_numpy().T[::-1]])
    codes = {name: pd.factorize(labels[name].to_numpy()[order])[0] for name in names}
    model = _model(values.iloc[order], codes, request)
    groups = {name: int(codes[name].max()) + 1 for name in dict.fromkeys([*request.effects, *request.clusters])}
    return Sample(model, groups, dropped, frame.index[keep], int(keep.sum()))


def _drop_weightless(weights: np.ndarray, request: Request, keep: np.ndarray, dropped: dict[str, int]) -> None:
    usable = weights[keep]
    if (usable < 0).any():
        raise ValueError(f"column {request.weights!r} holds {int((usable < 0).sum())} negative weights. Weights are zero or more.")
    if request.weight_kind == "frequency" and (usable != np.round(usable)).any():
        raise ValueError(f"column {request.weights!r} holds weights that are not whole numbers: a frequency weight says how many rows one stands for.")
    zero = keep & (weights == 0)
    if zero.any():
        dropped[f"{request.weights} zero"] = int(zero.sum())
        keep &= ~zero


def _drop_singletons(effects: pd.DataFrame, keep: np.ndarray, dropped: dict[str, int]) -> None:
    """Rows alone in a level of an effect, until no more appear."""
    before = int(keep.sum())
    columns = [pd.factorize(effects[name])[0] for name in effects.columns]
    while True:
        alone = np.zeros(len(keep), dtype=bool)
        for codes in columns:
            counts = np.bincount(codes[keep], minlength=int(codes.max(initial=0)) + 1)
            alone |= keep & (counts[codes] == 1)
        if not alone.any():
            break
        keep &= ~alone
    if before > int(keep.sum()):
        dropped["alone in a level of an effect"] = before - int(keep.sum())


def _model(values: pd.DataFrame, codes: dict[str, np.ndarray], request: Request) -> Model:
    rows = len(values)
    weights, n = np.ones(rows), float(rows)
    if request.weights:
        weights = values[request.weights].to_numpy()
        n = float(weights.sum()) if request.weight_kind == "frequency" else n
        weights = weights * (n / weights.sum())
    effects = Effects([numbered(codes[name]) for name in request.effects], weights)
    has_constant = request.constant and not request.effects
    columns = [request.outcome, *request.endogenous, *request.exogenous, *request.instruments]
    raw = values[columns].to_numpy()
    within = effects.out(raw)
    _refuse_absorbed(raw, within, columns, request.effects)
    scaled = within * np.sqrt(weights)[:, None]
    k1, k2 = len(request.endogenous), len(request.exogenous)
    x2 = scaled[:, 1 + k1 : 1 + k1 + k2]
    if has_constant:
        x2 = np.column_stack([x2, np.sqrt(weights)])
    y = scaled[:, 0]
    mean = float(np.sqrt(weights) @ y) / float(weights.sum())
    model = Model(
        y=y,
        x1=scaled[:, 1 : 1 + k1],
        x2=x2,
        z1=scaled[:, 1 + k1 + k2 :],
        names_x1=request.endogenous,
        names_x2=request.exogenous + ((CONSTANT,) if has_constant else ()),
        names_z1=request.instruments,
        errors=_errors(request, codes, weights),
        n=n,
        absorbed=effects.cost([numbered(codes[name]) for name in request.clusters]),
        total_centred=float(((y - np.sqrt(weights) * mean) ** 2).sum()),
        total_raw=float(y @ y),
    )
    _refuse_dependent(model)
    return model


def _errors(request: Request, codes: dict[str, np.ndarray], weights: np.ndarray) -> Errors:
    if not request.clusters:
        repeats = np.sqrt(weights) if request.weights and request.weight_kind == "frequency" else None
        return Errors("robust" if request.robust else "iid", repeats=repeats)
    columns = [codes[name] for name in request.clusters]
    for name, column in zip(request.clusters, columns, strict=True):
        if column.max() == 0:
            raise ValueError(f"the sample has one level of {name!r} only: clustered standard errors need at least two.")
    groups = tuple(numbered(column) for column in columns)
    return Errors("cluster", groups, combined(groups) if len(groups) == 2 else None)


def _refuse_absorbed(raw: np.ndarray, within: np.ndarray, columns: Sequence[str], effects: Sequence[str]) -> None:
    left, size = np.linalg.norm(within, axis=0), np.linalg.norm(raw, axis=0)
    gone = [name for name, a, b in zip(columns, left, size, strict=True) if a <= NOTHING_LEFT * b]
    if gone and effects:
        raise ValueError(f"{', '.join(gone)} does not vary once the {' and '.join(effects)} effects are taken out. Leave it out, or take out fewer effects.")
    if gone:
        raise ValueError(f"{', '.join(gone)} is zero in all rows. Leave it out.")


def _refuse_dependent(model: Model) -> None:
    """Refuse exogenous columns and instruments, or regressors, that are combinations of each other, and too few rows."""
    for matrix, names, what in (
        (np.hstack([model.x2, model.z1]), model.names_x2 + model.names_z1, "instruments"),
        (np.hstack([model.x2, model.x1]), model.names_x2 + model.names_x1, "regressors"),
    ):
        rows, width = matrix.shape
        if model.n <= width + model.absorbed or rows <= width:
            raise ValueError(f"{rows:,} rows cannot carry {width} {what} and effects that cost {model.absorbed:,}. Use more rows, or fewer columns.")
        _, r, pivots = linalg.qr(matrix / np.linalg.norm(matrix, axis=0), mode="economic", pivoting=True)
        dependent = [names[pivots[i]] for i, left in enumerate(np.abs(np.diag(r))) if left <= NOTHING_LEFT]
        if dependent:
            others = [name for name in names if name not in dependent]
            raise ValueError(f"{', '.join(dependent)} is a combination of {', '.join(others) or 'nothing'} among the {what}. Leave one of them out.")
