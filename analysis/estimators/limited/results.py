"""What results of models with a limited outcome share: their fields, and a table that ends with
what follows from the coefficients.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.result import Result, Test, tidy_frame
from analysis.estimators.limited.sample import Rows

SELECTION = "selection: "
ANCILLARY = "ancillary"  # the equation of what belongs to no regressor
OF_ERRORS = ("ln_sigma", "atanh_rho")


class LimitedResult(Result):
    """A result whose table ends with what follows from its coefficients."""

    @abstractmethod
    def _ancillary(self) -> pd.DataFrame:
        """Coefficients and standard errors of sigma and its like."""

    def _names(self) -> tuple[list[str], list[str]]:
        pairs = [_equation(self.outcome, str(term)) for term in self.coefficients.index]
        return [equation for equation, _ in pairs], [term for _, term in pairs]

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """A row a term, then sigma and its like: equation "ancillary", without a test of their
        being zero.
        """
        more = self._ancillary()
        values, errors = more["coefficient"].to_numpy(), more["standard_error"].to_numpy()
        nothing = np.full(len(more), np.nan)
        below = tidy_frame(
            ANCILLARY,
            list(more.index),
            values,
            errors,
            level=level,
            tested=(nothing, nothing),
        )
        return pd.concat([super().tidy(level), below], ignore_index=True)


def _equation(outcome: str, term: str) -> tuple[str, str]:
    if term in OF_ERRORS:
        return ANCILLARY, term
    if term.startswith(SELECTION):
        return "selection", term.removeprefix(SELECTION)
    return outcome, term


def terms_of(names: Sequence[str], constant: bool) -> list[str]:
    return [*names, *([CONSTANT] if constant else [])]


def common_fields(
    rows: Rows,
    outcome: str,
    names: list[str],
    theta: np.ndarray,
    covariance: np.ndarray,
    regressors: Sequence[str],
) -> dict[str, Any]:
    """The fields that every result has, with the Wald test that no regressor of the outcome
    matters.
    """
    at = [names.index(name) for name in regressors]
    slopes, inner = theta[at], covariance[np.ix_(at, at)]
    # In standard errors, so that units do not decide what counts as singular.
    errors = np.sqrt(np.diag(inner))
    t, correlation = slopes / errors, inner / np.outer(errors, errors)
    full = np.linalg.matrix_rank(correlation, hermitian=True) == len(at)
    wald = float(t @ np.linalg.solve(correlation, t)) if full else float("nan")
    p = float(stats.chi2.sf(wald, len(at)))
    return {
        "outcome": outcome,
        "coefficients": pd.Series(theta, index=names, name="coefficient"),
        "covariance": pd.DataFrame(covariance, index=names, columns=names),
        "df_t": None,
        "n": len(rows.values),
        "groups": rows.groups,
        "dropped": rows.dropped,
        "sample": rows.labels,
        "tests": {"wald": Test("Wald", wald, len(at), p, null="all regressors have no effect")},
    }


def derived_parameters(values: Mapping[str, float], errors: Sequence[float]) -> pd.DataFrame:
    """coefficient and standard_error by term."""
    columns = {"coefficient": list(values.values()), "standard_error": list(errors)}
    return pd.DataFrame(columns, index=pd.Index(list(values), name="term"), dtype=float)
