"""What a stochastic frontier is asked to be, and the rows that it can use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analysis.measures import samples
from analysis.measures.frontier_likelihood import FrontierData

Distribution = Literal["half_normal", "truncated_normal", "exponential"]
Kind = Literal["production", "cost"]
Base = Literal["panel", "unit"]
CONSTANT = "constant"
EFFECT = "inefficiency: "


@dataclass(frozen=True)
class FrontierModel:
    """What the options ask for."""

    outcome: str
    inputs: tuple[str, ...]
    distribution: Distribution
    kind: Kind
    unit: str | None
    period: str | None
    decay: bool
    effects: tuple[str, ...] | None
    effects_constant: bool
    mu_bound: float | None
    base: Base

    @property
    def w_names(self) -> list[str]:
        """Terms of the mean of the normal that is truncated; none for the half-normal and the
        exponential.
        """
        if self.effects is not None:
            return [
                EFFECT + name
                for name in ([CONSTANT] if self.effects_constant else []) + list(self.effects)
            ]
        return ["mu"] if self.distribution == "truncated_normal" else []

    @property
    def terms(self) -> list[str]:
        """All coefficients as they are printed: frontier, effects, sigma_squared, gamma,
        mu, eta.
        """
        effects, mu = (self.w_names, []) if self.effects is not None else ([], self.w_names)
        return [
            CONSTANT,
            *self.inputs,
            *effects,
            "sigma_squared",
            "gamma",
            *mu,
            *(["eta"] if self.decay else []),
        ]

    @property
    def printed(self) -> np.ndarray:
        """Positions, among b, d, sigma^2, gamma, eta, of the coefficients as they are printed."""
        k, m = 1 + len(self.inputs), len(self.w_names)
        variances = [k + m, k + m + 1]
        delta = list(range(k, k + m))
        eta = [k + m + 2] if self.decay else []
        return np.array(
            [*range(k), *delta, *variances, *eta]
            if self.effects is not None
            else [*range(k), *variances, *delta, *eta]
        )

    def describe(self) -> str:
        """What the model is, as a note would say it."""
        name = {
            "half_normal": "half-normal",
            "truncated_normal": "truncated-normal",
            "exponential": "normal-exponential",
        }[self.distribution]
        if self.effects is not None:
            name = "inefficiency-effects (Battese-Coelli 1995)"
        time_path = (
            ", decaying inefficiency (Battese-Coelli 1992)"
            if self.decay
            else ", time-invariant inefficiency"
            if self.shares_draw
            else ""
        )
        return f"{name} stochastic {self.kind} frontier{time_path}"

    @property
    def shares_draw(self) -> bool:
        """Whether rows of a unit share one draw of inefficiency."""
        return self.unit is not None and self.effects is None


def check_options(model: FrontierModel) -> None:
    """Refuse options that are unknown or exclude each other."""
    if model.distribution not in ("half_normal", "truncated_normal", "exponential"):
        raise ValueError(
            f"distribution {model.distribution!r} is not known. Use 'half_normal',"
            " 'truncated_normal' or 'exponential'."
        )
    if model.kind not in ("production", "cost") or model.base not in ("panel", "unit"):
        raise ValueError(
            f"kind is 'production' or 'cost' and base is 'panel' or 'unit'; {model.kind!r} and"
            f" {model.base!r} were given."
        )
    if model.decay and (model.unit is None or model.period is None):
        raise ValueError(
            "decay needs unit and period: inefficiency is followed through a unit's periods."
        )
    if model.effects is not None and (model.decay or model.distribution == "exponential"):
        raise ValueError(
            "effects explain a truncated normal drawn for each row: they go with neither "
            "decay nor distribution='exponential'."
        )
    if model.distribution == "exponential" and model.unit is not None:
        raise ValueError(
            "the exponential frontier is for independent rows: leave unit out, "
            "or choose 'half_normal' or 'truncated_normal'."
        )
    if model.mu_bound is not None and (model.w_names != ["mu"] or model.mu_bound <= 0):
        raise ValueError(
            "mu_bound is a positive number of sigma_u and goes with "
            "distribution='truncated_normal' without effects."
        )


def prepare(
    frame: pd.DataFrame, model: FrontierModel
) -> tuple[FrontierData, np.ndarray, dict[str, int]]:
    """Arrays sorted by group, the position of each sorted row in the frame, and what was
    dropped.
    """
    keys = [name for name in (model.unit, model.period) if name is not None]
    columns = [model.outcome, *model.inputs, *(model.effects or ())]
    samples.check_columns(frame, [*columns, *keys])
    values = samples.numbers(frame, columns)
    times = (
        samples.periods(frame, model.period) if model.period is not None else np.zeros(len(frame))
    )
    checks = [(name, values[:, position]) for position, name in enumerate(columns)]
    checks += [
        (name, times if name == model.period else samples.labels_missing(frame, name))
        for name in keys
    ]
    keep, dropped = samples.usable_rows(checks)
    if len(keys) == 2:
        samples.refuse_duplicates(frame.loc[keep], keys)
    rows = np.flatnonzero(keep)
    # Rows are sorted by their numbers and units are counted as they come, so that neither order nor
    # spelling of ids changes a sum.
    rows = rows[np.lexsort((*values[rows].T, times[rows]))]
    needed = 3 + len(model.inputs) + len(model.w_names)
    if len(rows) <= needed:
        raise ValueError(
            f"{samples.rows(len(rows))} with every number, too few for {needed} coefficients. Left"
            f" out: {dropped or 'none'}."
        )
    groups = (
        samples.codes_by_first_row(frame[model.unit].iloc[rows])
        if model.shares_draw
        else np.arange(len(rows))
    )
    order = np.argsort(groups, kind="stable")
    return (
        _arrays(values[rows[order]], times[rows[order]], groups[order], model),
        rows[order],
        dropped,
    )


def _arrays(
    values: np.ndarray, times: np.ndarray, groups: np.ndarray, model: FrontierModel
) -> FrontierData:
    k = 1 + len(model.inputs)
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    ones = np.ones((len(values), 1))
    w = ones[: len(first), : int("mu" in model.w_names)]
    if model.effects is not None:
        w = np.hstack([ones[:, : int(model.effects_constant)], values[:, k:]])
    last = np.full(len(times), times.max())
    if model.base == "unit":
        last = np.repeat(np.maximum.reduceat(times, first), np.diff(np.append(first, len(times))))
    sign = 1.0 if model.kind == "production" else -1.0
    return FrontierData(
        values[:, 0], np.hstack([ones, values[:, 1:k]]), w, first, times - last, sign, model.decay
    )
