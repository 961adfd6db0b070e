"""Which residualised regressors can be estimated: not absorbed by the effects, not combinations of
others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg

from analysis.estimators.core.sample import Sample

# A regressor counts as absorbed, or as a combination of others, when less than this share of its
# variation (root of squares) is left.
NOTHING_LEFT = 1e-8
# Cross products tell shares above this one reliably; what comes nearer is looked at by orthogonal
# decomposition.
CLEARLY_INDEPENDENT = 1e-4


def independent_columns(
    within: np.ndarray,
    moments: np.ndarray,
    sample: Sample,
    names: Sequence[str],
    effects: tuple[str, ...],
    *,
    drop: bool,
) -> tuple[list[int], dict[str, str]]:
    """Positions of the regressors that can be estimated, from 0, and why each other one cannot.

    Parameters
    ----------
    within : (n, 1 + k) outcome and regressors with the effects taken out; sample.columns holds them
        as they were
    moments : (1 + k, 1 + k) their weighted cross products
    names : outcome and regressors
    drop : leave out what cannot be estimated; otherwise it is an error

    Raises
    ------
    ValueError : naming the outcome or the regressors that are absorbed or dependent.
    """
    taken_out = _taken_out(effects)
    left, size = np.sqrt(np.diag(moments)), _variation(sample)
    absorbed = [bool(nothing) for nothing in left <= size]
    omitted = {
        name: f"does not vary once {taken_out} taken out"
        for name, gone in zip(names[1:], absorbed[1:], strict=True)
        if gone
    }
    if absorbed[0] or (omitted and not drop):
        listed = ", ".join(name for name, gone in zip(names, absorbed, strict=True) if gone)
        raise ValueError(
            f"{listed} does not vary once {taken_out} taken out. Leave it out, or take out fewer"
            " effects."
        )
    kept = [at for at in range(len(names) - 1) if not absorbed[at + 1]]
    dependent = _dependent(within, moments, sample, kept)
    kept = [at for at in kept if at not in dependent]
    others = ", ".join(names[at + 1] for at in kept)
    if dependent and not drop:
        listed = ", ".join(names[at + 1] for at in dependent)
        raise ValueError(
            f"{listed} is a combination of {others} once {taken_out} taken out. Leave one of them"
            " out."
        )
    omitted |= {names[at + 1]: f"a combination of {others}" for at in dependent}
    if not kept:
        raise ValueError(
            f"no regressor is left: {'; '.join(f'{name} {why}' for name, why in omitted.items())}."
        )
    return kept, omitted


def _taken_out(effects: tuple[str, ...]) -> str:
    return f"the {' and '.join(effects)} effects are" if effects else "the mean is"


def _variation(sample: Sample) -> np.ndarray:
    """What is as good as nothing, by column: a share of its variation around the mean, or the
    rounding of its numbers.
    """
    means = sample.means
    columns = sample.columns
    squares = (
        np.einsum("ij,ij->j", columns, columns)
        if sample.weights is None
        else np.einsum("ij,ij,i->j", columns, columns, sample.weights)
    )
    around = np.sqrt(np.maximum(squares - sample.n * means**2, 0))
    return np.maximum(NOTHING_LEFT * around, 64 * np.finfo(float).eps * np.sqrt(squares))


def _dependent(
    within: np.ndarray, moments: np.ndarray, sample: Sample, kept: list[int]
) -> list[int]:
    """Regressors, of those kept, that the ones before them span; at first by cross products."""
    columns = [at + 1 for at in kept]
    left = np.sqrt(np.diag(moments))[columns]
    try:
        if np.all(
            np.diag(np.linalg.cholesky(moments[np.ix_(columns, columns)] / np.outer(left, left)))
            > CLEARLY_INDEPENDENT
        ):
            return []
    except np.linalg.LinAlgError:
        pass
    scaled = within[:, columns] / left
    if sample.weights is not None:
        scaled *= np.sqrt(sample.weights)[:, None]
    independent: list[int] = []
    dependent: list[int] = []
    for position in range(len(columns)):
        triangle = linalg.qr(scaled[:, [*independent, position]], mode="economic")[1]
        (dependent if abs(triangle[len(independent), -1]) <= NOTHING_LEFT else independent).append(
            position
        )
    return [kept[position] for position in dependent]
