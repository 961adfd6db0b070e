"""From a panel and a specification to stacked equations: which rows are used, transformed
regressors, instruments.

A row of the level equation is used if the outcome, all regressors and the IV-style instruments are
there; a row of the transformed equation, if its transformed values are too. Missing GMM-style
instruments are zero. Differences are missing after a gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.sample import OUTSIDE
from analysis.estimators.gmm.instruments import Builder, Instruments, filled
from analysis.estimators.gmm.inverse import independent
from analysis.estimators.gmm.panel import (
    Panel,
    backward_deviations,
    differenced,
    transform_matrix,
    transformer,
)
from analysis.estimators.gmm.specification import Specification
from analysis.estimators.gmm.specs import IV
from analysis.estimators.gmm.terms import Term


@dataclass(frozen=True, eq=False)
class Stacked:
    """Equations in rows (see gmm.steps.Equations), and what is needed to report on them.

    `names` label the K regressors of x, `dropped` the ones left out, with the reason. `levels_y`,
    `levels_x` are the untransformed values.
    """

    y: np.ndarray
    x: np.ndarray
    used: np.ndarray
    z: Instruments
    names: tuple[str, ...]
    dropped: Mapping[str, str]
    time_effects: tuple[str, ...]
    levels_y: np.ndarray
    levels_x: np.ndarray


def complete_rows(panel: Panel, spec: Specification) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """(T, N) rows asked for with the outcome and all regressors; and, by reason, the frame's other
    rows (the first that holds)."""
    rest = panel.present & panel.asked
    outside = panel.present & ~panel.asked
    reasons: dict[str, np.ndarray] = {OUTSIDE: outside} if outside.any() else {}
    for term in (Term(spec.outcome), *spec.regressors):
        lost = rest & np.isnan(panel.term(term))
        if lost.any():
            reasons[f"{term.label} missing"] = lost
        rest &= ~lost
    return rest, reasons


def stack(panel: Panel, spec: Specification) -> Stacked:
    """The stacked equations of one specification, on a panel of units that each have a complete
    row.

    Deviations from means, like lags and differences, are formed from all complete rows; then the
    rows asked for are taken.
    """
    y = panel.term(Term(spec.outcome))
    x = _terms(panel, spec, y.shape)
    bases = [(iv, [panel.term(term) for term in terms]) for iv, terms, _ in spec.iv]
    touse, complete = _rows(panel, y, x, bases)
    take_out = transformer(spec.transform, complete)
    moved_y, moved_x = take_out(y), take_out(x)
    moved_iv = [
        [value if iv.passthrough else take_out(value) for value in values] for iv, values in bases
    ]
    used = _used_rows(spec, touse, np.concatenate([moved_y[None], moved_x]), bases, moved_iv)
    _refuse_flat(spec, moved_y, y, used[: len(moved_y)])
    dummies, periods = _dummies(panel, spec, used)
    time_effects = [f"{spec.time}={panel.periods[t]}" for t in periods]
    names = [*(term.label for term in spec.regressors), *time_effects]
    moved_dummies = dummies if spec.time_effects == "undifferenced" else take_out(dummies)
    level_x, moved_x = np.concatenate([x, dummies]), np.concatenate([moved_x, moved_dummies])
    if spec.constant:
        names.append(CONSTANT)
        ones = np.ones((1, *y.shape))
        level_x = np.concatenate([level_x, ones])
        moved_x = np.concatenate([moved_x, ones * (not spec.system)])
    stacked_x = _stacked(moved_x, level_x, used, spec)
    kept, dropped = _independent(stacked_x, names, spec)
    return Stacked(
        y=_stacked(moved_y, y, used, spec),
        x=np.ascontiguousarray(stacked_x[kept]),
        used=used,
        z=_instruments(panel, spec, used, complete, bases, moved_iv, dummies),
        names=tuple(name for name, keep in zip(names, kept, strict=True) if keep),
        dropped=dropped,
        time_effects=tuple(name for name in time_effects if name not in dropped),
        levels_y=y,
        levels_x=level_x[kept],
    )


def _refuse_flat(
    spec: Specification, moved: np.ndarray, level: np.ndarray, used: np.ndarray
) -> None:
    """Refuse an outcome that is the same in all periods of every unit: (T, N) each."""
    if used.any() and np.abs(moved[used]).max() <= 1e-9 * np.nanmax(np.abs(level)):
        raise ValueError(
            f"{spec.outcome} does not change inside units: the transformation takes it out."
        )


def _terms(panel: Panel, spec: Specification, shape: tuple[int, ...]) -> np.ndarray:
    """(K, T, N) regressors."""
    terms = [panel.term(term) for term in spec.regressors]
    return np.stack(terms) if terms else np.zeros((0, *shape))


def _rows(
    panel: Panel, y: np.ndarray, x: np.ndarray, bases: Bases
) -> tuple[np.ndarray, np.ndarray]:
    """(T, N) rows asked for with outcome and regressors; and those that, asked for or not, have the
    instruments too.
    """
    complete = panel.present & ~np.isnan(np.concatenate([y[None], x])).any(axis=0)
    touse = complete & panel.asked
    for iv, values in bases:
        if not iv.zero_missing:
            complete = complete & ~np.isnan(np.stack(values)).any(axis=0)
    return touse, complete


def _stacked(
    moved: np.ndarray, level: np.ndarray, used: np.ndarray, spec: Specification
) -> np.ndarray:
    """Transformed (..., T, N) and, in a system, level values in rows (..., R, N), zero where
    unused."""
    both = np.concatenate([moved, level], axis=-2) if spec.system else moved
    return np.where(used, both, 0.0)


Bases = list[tuple[IV, list[np.ndarray]]]


def _used_rows(
    spec: Specification,
    touse: np.ndarray,
    moved: np.ndarray,
    bases: Bases,
    moved_iv: list[list[np.ndarray]],
) -> np.ndarray:
    """(R, N) rows in the estimate."""
    own_row = touse
    if spec.transform == "orthogonal":
        own_row = np.zeros_like(touse)
        own_row[1:] = touse[:-1]
    transformed = own_row & ~np.isnan(moved).any(axis=0)
    level = touse.copy()
    for (iv, values), moved_values in zip(bases, moved_iv, strict=True):
        if iv.zero_missing:
            continue
        if iv.equation != "level":
            transformed &= ~np.isnan(np.stack(moved_values)).any(axis=0)
        if iv.equation != "difference":
            level &= ~np.isnan(np.stack(values)).any(axis=0)
    return np.concatenate([transformed, level]) if spec.system else transformed


def _dummies(panel: Panel, spec: Specification, used: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """(P, T, N) dummies of the periods used, all but the first, and these periods' numbers."""
    t = len(panel.periods)
    if not spec.time_effects:
        return np.zeros((0, *panel.present.shape)), []
    rows = used[t:] if spec.system else used
    seen: np.ndarray = np.asarray(rows.any(axis=1))
    if not spec.system and spec.time_effects != "undifferenced" and seen.any():
        seen[np.flatnonzero(seen)[0] - 1] = True
    periods = [int(p) for p in np.flatnonzero(seen)]
    if spec.time_effects != "undifferenced" or spec.constant:
        periods = periods[1:]
    dummies = np.zeros((len(periods), *panel.present.shape))
    for i, p in enumerate(periods):
        dummies[i, p] = 1.0
    return dummies, periods


def _independent(
    x: np.ndarray, names: Sequence[str], spec: Specification
) -> tuple[np.ndarray, dict[str, str]]:
    """Which regressors stay, and why the others do not. The constant is counted first, then the
    order given."""
    flat = x.reshape(len(x), -1)
    last = len(x) - 1
    kept = np.ones(len(x), dtype=bool)
    if spec.constant:
        kept[:last] = independent(flat[:last], flat[last])
    else:
        kept = independent(flat, None)
    dropped: dict[str, str] = {}
    for k in map(int, np.flatnonzero(~kept)):
        dropped[names[k]] = (
            "is a combination of terms before it"
            if flat[k].any()
            else "is zero in all rows used: the transformation takes it out"
        )
    if not kept.any():
        raise ValueError(
            "no regressor is left to estimate:"
            f" {'; '.join(f'{name} {why}' for name, why in dropped.items()) or 'none was given'}."
        )
    return kept, dropped


def _instruments(
    panel: Panel,
    spec: Specification,
    used: np.ndarray,
    complete: np.ndarray,
    bases: Bases,
    moved_iv: list[list[np.ndarray]],
    dummies: np.ndarray,
) -> Instruments:
    builder = Builder(used, panel.periods, spec.system)
    for gmm, terms, label in spec.gmm:
        raw = [panel.term(term) for term in terms]
        levels = [
            filled(backward_deviations(value, complete) if gmm.orthogonal else value)
            for value in raw
        ]
        differences = [filled(differenced(value)) for value in raw]
        builder.add_gmm(gmm, label, [term.label for term in terms], levels, differences)
    for (_, terms, label), (iv, values), moved in zip(spec.iv, bases, moved_iv, strict=True):
        in_levels = (
            [filled(value) for value in values]
            if spec.system and iv.equation != "difference"
            else []
        )
        in_moved = [filled(value) for value in moved] if iv.equation != "level" else []
        builder.add_iv(label, [term.label for term in terms], in_moved, in_levels)
    _add_own(builder, panel, spec, complete, dummies)
    return builder.build()


def _add_own(
    builder: Builder,
    panel: Panel,
    spec: Specification,
    complete: np.ndarray,
    dummies: np.ndarray,
) -> None:
    """Time effects and the constant as instruments of themselves."""
    if len(dummies):
        names = [
            f"{spec.time}={panel.periods[int(t)]}" for t in np.argmax(dummies[:, :, 0], axis=1)
        ]
        where = spec.time_effects_equation if spec.system else "difference"
        moved = dummies
        if spec.time_effects != "undifferenced":
            moved = filled(transformer(spec.transform, complete)(dummies))
        in_moved = list(moved) if where != "level" else []
        builder.add_iv(
            "time effects", names, in_moved, list(dummies) if where != "difference" else []
        )
    if spec.constant:
        ones = [np.ones(panel.present.shape)]
        in_moved, in_levels = ([], ones) if spec.system else (ones, [])
        builder.add_iv(CONSTANT, [CONSTANT], in_moved, in_levels, tested=False)


def error_covariance(spec: Specification, periods: int) -> np.ndarray:
    """(R, R) covariance H of a unit's stacked errors that the first step assumes: h(1), h(2), h(3)
    of xtabond2.

    With C the matrix that transforms level errors: 3, and 2 without level equation: the covariance
    of errors that are independent in levels, [C; I][C; I]'; 2: the same without the blocks between
    the equations; 1: the identity.
    """
    identity = np.eye(periods)
    if spec.weighting == 1:
        return np.eye(periods * (2 if spec.system else 1))
    c = transform_matrix(spec.transform, periods)
    if not spec.system:
        return c @ c.T
    if spec.weighting == 3:
        both = np.concatenate([c, identity])
        return both @ both.T
    return np.block([[c @ c.T, np.zeros_like(c)], [np.zeros_like(c), identity]])
