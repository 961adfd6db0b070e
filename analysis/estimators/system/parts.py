"""What a system of equations consists of: equations, rows, and the blocks built from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.algebra import independent_columns, refuse_dependent
from analysis.estimators.core.columns import rows
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import Where, checked, columns_of
from analysis.estimators.core.sample import Sample, Taking, read_sample
from analysis.estimators.system.algebra import WITH_INSTRUMENTS


@dataclass(frozen=True)
class Equation:
    """One equation: the outcome, its regressors, whether it has a constant, and its own instruments
    where they differ.
    """

    outcome: str
    regressors: Sequence[str]
    constant: bool = True
    instruments: Sequence[str] | None = None


@dataclass(frozen=True)
class SystemSample:
    """Complete rows in an order that does not depend on the frame's, with all columns as numbers.

    Attributes
    ----------
    values : (n, m), a column a name
    dropped, labels : as in `Result`
    order : position in `labels` of each row of `values`
    """

    values: pd.DataFrame
    dropped: dict[str, int]
    labels: pd.Index
    order: np.ndarray


def equation_of(kind: type[Any], name: str, given: Any) -> Any:
    """An equation of this kind from itself, a mapping of its fields, or (outcome, regressors).

    Raises
    ------
    ValueError : a field that the kind does not have, or no outcome or regressors.
    """
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        return kind(given[0], given[1])
    known = [field.name for field in fields(kind)]
    for key in given:
        checked(f"equation {name}: field", key, known)
    if not {"outcome", "regressors"} <= set(given):
        raise ValueError(f"equation {name} needs an outcome and regressors; given: {list(given)}.")
    return kind(**given)


def system_sample(
    frame: pd.DataFrame,
    columns: Sequence[str],
    keys: Sequence[str],
    where: Where | None,
) -> SystemSample:
    """Complete rows of the columns, sorted by the keys, or by all values where there are none."""
    how = Taking(sort_by=keys)
    sample = read_sample(frame, columns, (), keys=keys, where=where, how=how)
    values = pd.DataFrame(sample.columns, columns=list(columns))
    return SystemSample(values, sample.dropped, sample.labels, order_of(sample))


def order_of(sample: Sample) -> np.ndarray:
    """Position among the labels of each row (n,)."""
    return np.arange(sample.n) if sample.order is None else sample.order


def check_identified(
    x: list[np.ndarray],
    z: list[np.ndarray] | None,
    n: int,
    terms: Mapping[str, Sequence[str]],
) -> None:
    """Refuse an equation that its rows or instruments cannot carry, naming it."""
    for i, name in enumerate(terms):
        k = x[i].shape[1]
        if n <= k:
            raise ValueError(f"equation {name}: {rows(n)} cannot carry {k} coefficients.")
        if z is not None and z[i].shape[1] < k:
            few = f"{z[i].shape[1]} independent instruments for {k} coefficients"
            raise ValueError(f"equation {name} is not identified: {few}. Add instruments.")
        own = [term.removeprefix(f"{name}_") for term in terms[name]]
        _refuse_dependent(name, x[i], own, "")
        if z is not None:
            projected = z[i] @ np.linalg.lstsq(z[i], x[i], rcond=None)[0]
            _refuse_dependent(name, projected, own, " once projected on the instruments")


def _refuse_dependent(name: str, block: np.ndarray, terms: Sequence[str], what: str) -> None:
    try:
        refuse_dependent(block, terms, what)
    except ValueError as error:
        raise ValueError(f"equation {name}: {error}") from error


def check_parts(
    parts: Mapping[str, Equation],
    method: str,
    instruments: Sequence[str] | None,
    iterations: int,
) -> None:
    """Refuse equations that say nothing, or that lack what the method needs."""
    if not parts or iterations < 1:
        raise ValueError("a system has at least one equation and one round of estimation.")
    if instruments is not None:
        columns_of("instruments", instruments, empty=True)
    for name, part in parts.items():
        what = f"equation {name}: regressors"
        columns_of(what, part.regressors, outcome=part.outcome, empty=part.constant)
        if part.instruments is not None:
            columns_of(f"equation {name}: instruments", part.instruments, empty=True)
        elif method in WITH_INSTRUMENTS and not instruments:
            where = f"name them for all equations, or in equation {name}"
            raise ValueError(f"{method} needs instruments: {where}.")


def sides_of(
    sample: SystemSample,
    parts: Mapping[str, Equation],
) -> tuple[list[np.ndarray], list[np.ndarray], dict[str, tuple[str, ...]]]:
    """Outcomes, regressors and terms of the equations."""
    one = np.ones((len(sample.values), 1))
    y = [sample.values[part.outcome].to_numpy() for part in parts.values()]
    x, terms = [], {}
    for name, part in parts.items():
        given = sample.values[list(part.regressors)].to_numpy()
        x.append(np.hstack([one, given]) if part.constant else given)
        front = [CONSTANT] if part.constant else []
        terms[name] = tuple(f"{name}_{term}" for term in (*front, *part.regressors))
    return y, x, terms


def instruments_of(
    sample: SystemSample,
    chosen: Mapping[str, tuple[str, ...]],
) -> tuple[list[np.ndarray], dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Instruments with a constant in front, without columns that repeat earlier ones, and those."""
    z, kept, left_out = [], {}, []
    for name, columns in chosen.items():
        given = sample.values[list(columns)].to_numpy()
        block = np.hstack([np.ones((len(given), 1)), given])
        free = independent_columns(block)
        z.append(block[:, free])
        labels = np.array([CONSTANT, *columns], dtype=object)
        kept[name] = tuple(labels[free])
        left_out += list(labels[~free])
    return z, kept, tuple(dict.fromkeys(left_out))


def restrictions_of(
    restrictions: Sequence[tuple[Mapping[str, float], float]],
    terms: Mapping[str, tuple[str, ...]],
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray]:
    """(r, k) weights, (r,) values, and how many restrictions lie inside each equation (they free a
    degree of freedom there).
    """
    own = np.zeros(len(terms), dtype=int)
    if not restrictions:
        return None, None, own
    index = {term: i for i, term in enumerate(term for group in terms.values() for term in group)}
    weights = np.zeros((len(restrictions), len(index)))
    for row, (wanted, _) in enumerate(restrictions):
        unknown = [term for term in wanted if term not in index]
        if unknown or not wanted:
            named = ", ".join(unknown) or "no term"
            raise ValueError(f"restriction {row + 1} names {named}; terms are {', '.join(index)}.")
        for term, weight in wanted.items():
            weights[row, index[term]] = weight
        inside = [i for i, group in enumerate(terms.values()) if set(wanted) <= set(group)]
        own[inside] += 1
    if np.linalg.matrix_rank(weights) < len(weights):
        what = "the restrictions repeat or contradict each other"
        raise ValueError(f"{what}: leave out those that follow from the rest.")
    return weights, np.array([float(value) for _, value in restrictions]), own
