"""What an estimate could have found: its minimum detectable effect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.names import nearest
from analysis.estimators.core.options import level_of
from analysis.estimators.core.result import Result


def minimum_detectable_effects(
    result: Result,
    terms: Sequence[str] | None = None,
    *,
    power: float = 0.8,
    level: float = 0.95,
) -> pd.DataFrame:
    """The smallest true effects that a two-sided test would find with the given power: (t of the
    level + t of the power) standard errors (Bloom 1995, Evaluation Review 19).

    Parameters
    ----------
    result : any estimate with standard errors
    terms : those wanted; all if None
    power : share of samples in which the effect would be found; level : 0.95 for a 5 % test

    Returns
    -------
    a row a term: estimate, std_error, minimum (missing where there is no standard error), share
        (the estimate's size over the minimum; below one it would mostly not have been found)

    Raises
    ------
    ValueError : an unknown term, a power or a level that is not between 0 and 1.
    """
    known = [str(term) for term in result.coefficients.index]
    for term in terms or ():
        if term not in known:
            raise ValueError(f"the result has no term {term!r}. {nearest(term, known)}")
    if not 0 < power < 1:
        raise ValueError(f"power = {power!r}: a share between 0 and 1, such as 0.8.")
    tail = (1 + level_of(level)) / 2
    quantile = stats.norm.ppf if result.df_t is None else stats.t(result.df_t).ppf
    wanted = known if terms is None else list(terms)
    b, error = result.coefficients[wanted], result.standard_errors[wanted]
    minimum = error * float(quantile(tail) + quantile(power))
    columns = {"estimate": b, "std_error": error, "minimum": minimum, "share": np.abs(b) / minimum}
    return pd.DataFrame(columns).rename_axis("term")
