"""Standard errors of the average effect on the treated."""

from __future__ import annotations

import numpy as np

from analysis.estimators.core.options import AttError
from analysis.estimators.matching.result import Matching
from analysis.estimators.matching.weights import nearest

CONVENTIONS: dict[AttError, str] = {
    "psmatch2": (
        "with weights and score as given (var(treated)/N1 + var(controls)·sum(w²)/N1²), normal"
    ),
    "abadie_imbens": "Abadie-Imbens (2006, equation 14) with the score as given, normal",
}


def standard_error(
    matching: Matching, y: np.ndarray, gap: np.ndarray, kind: AttError, variance_neighbours: int
) -> float:
    weights = matching.weights.to_numpy()
    one, zero = matching.treated_positions, matching.control_positions
    n1 = len(gap)
    if kind == "psmatch2":
        own, served = y[one[weights[one] > 0]], zero[weights[zero] > 0]
        if min(len(own), len(served)) < 2:
            return float("nan")
        return float(
            np.sqrt(
                own.var(ddof=1) / n1 + y[served].var(ddof=1) * (weights[served] ** 2).sum() / n1**2
            )
        )
    if matching.options.method != "neighbours" or not matching.options.replacement:
        raise ValueError("Abadie-Imbens errors are for nearest neighbours with replacement.")
    score = matching.score.to_numpy()[zero]
    near = nearest(
        score, score, variance_neighbours, None, "average", None, skip=np.arange(len(zero))
    )
    m = np.diff(near.indptr)
    variance = np.where(m > 0, m / (m + 1.0) * (y[zero] - near @ y[zero]) ** 2, 0.0)
    total = np.asarray(matching.pairs.sum(axis=0)).ravel()
    squares = np.asarray(matching.pairs.multiply(matching.pairs).sum(axis=0)).ravel()
    return float(np.sqrt((gap**2).sum() + ((total**2 - squares) * variance).sum()) / n1)
