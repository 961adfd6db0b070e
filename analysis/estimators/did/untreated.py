"""What untreated rows say about treated ones: unit effects, period effects and controls."""

from __future__ import annotations

import numpy as np
from scipy import linalg, sparse

from analysis.estimators.core.sums import sums_by
from analysis.estimators.did.sample import DidSample

# A direction of the regressors is unseen on untreated rows when less than this share of it is.
UNSEEN = 1e-9


class UntreatedModel:
    """Least squares on untreated rows: unit effects by means, the rest by normal equations."""

    def __init__(self, data: DidSample) -> None:
        self.data = data
        self.control = ~data.treated
        period = np.unique(data.time, return_inverse=True)[1]
        design = np.column_stack([np.eye(int(period.max()) + 1)[period], data.x])
        used = data.weight * self.control
        self.unit_weight = np.bincount(data.unit, used, minlength=len(data.unit_names))
        self.within = self._less_unit_means(design, used)
        scale = np.sqrt((used[:, None] * self.within**2).sum(axis=0))
        self.scale = np.where(
            scale > UNSEEN * np.sqrt((used[:, None] * design**2).sum(axis=0)), scale, 1.0
        )
        scaled = self.within / self.scale
        values, vectors = linalg.eigh(scaled.T @ (scaled * used[:, None]))
        real = values > UNSEEN * values.max()
        self.scaled, self.used = scaled, used
        self.inverse = (vectors[:, real] / values[real]) @ vectors[:, real].T
        self.unseen = vectors[:, ~real]
        self.outcome = self._less_unit_means(data.y[:, None], used)[:, 0]
        self.beta = self.inverse @ (scaled.T @ (used * self.outcome))

    def _less_unit_means(self, columns: np.ndarray, used: np.ndarray) -> np.ndarray:
        """Columns less their unit's mean over untreated rows; units without any stay missing."""
        sums = sums_by((self.data.unit, len(self.unit_weight)), columns, used)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = sums / self.unit_weight[:, None]
        return np.asarray(
            np.where(
                self.unit_weight[self.data.unit][:, None] > 0, columns - means[self.data.unit], 0.0
            )
        )

    def effects(self) -> np.ndarray:
        """(n,) outcome less prediction: effects of treated rows, residuals of untreated ones."""
        return np.asarray(self.outcome - self.scaled @ self.beta)

    def predictable(self) -> np.ndarray:
        """(n,) rows whose unit has untreated rows and whose regressors the untreated rows span."""
        known = self.unit_weight[self.data.unit] > 0
        left = (
            np.abs(self.scaled @ self.unseen).max(axis=1)
            if self.unseen.shape[1]
            else np.zeros(len(known))
        )
        return np.asarray(known & (left <= 1e-6 * (1 + np.abs(self.scaled).max(axis=1))))

    def weights(self, targets: np.ndarray) -> np.ndarray:
        """(n, q) weights v with estimate = sum of v * outcome, from targets on treated rows."""
        unit = self.data.unit
        by_unit = sums_by((unit, len(self.unit_weight)), targets)
        share = self.used / np.where(self.unit_weight > 0, self.unit_weight, 1.0)[unit]
        slopes = self.inverse @ (self.scaled.T @ targets)
        return np.asarray(
            targets - share[:, None] * by_unit[unit] - self.used[:, None] * (self.scaled @ slopes)
        )


def imputable(data: DidSample) -> np.ndarray:
    """Untreated rows (n,), and treated ones whose unit and period untreated rows connect."""
    control = ~data.treated & (data.weight > 0)
    if not control.any():
        raise ValueError("no row is untreated: there is nothing to predict from.")
    period = np.unique(data.time, return_inverse=True)[1]
    units, periods = len(data.unit_names), int(period.max()) + 1
    links = sparse.coo_matrix(
        (np.ones(int(control.sum())), (data.unit[control], units + period[control])),
        shape=(units + periods, units + periods),
    )
    part = sparse.csgraph.connected_components(links, directed=False)[1]
    linked = part[data.unit] == part[units + period]
    if not data.x.shape[1]:
        return np.asarray(~data.treated | linked)
    return np.asarray(~data.treated | (linked & UntreatedModel(data).predictable()))
