"""The same regression by another program: linearmodels' PanelOLS, for two effects that are the
panel's keys.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from linearmodels.panel import PanelOLS

from analysis.estimators.linear.fixed_effects import FixedEffectsResult


def panel_ols_slopes(frame: pd.DataFrame, result: FixedEffectsResult) -> pd.Series:
    """Slopes of a two-way regression, estimated anew by linearmodels on the rows that the result
    used.

    Parameters
    ----------
    frame : the frame that the result was estimated on
    result : an estimate with two effects and no weights

    Returns
    -------
    Series : (k,) coefficients by regressor, in the result's units

    Raises
    ------
    ValueError : an estimate with another number of effects.
    """
    if len(result.effects) != 2:
        raise ValueError(
            "linearmodels' PanelOLS takes two effects here; the estimate has"
            f" {len(result.effects)}."
        )
    rows = frame.loc[result.sample]
    first, second = (pd.factorize(rows[name], sort=True)[0] for name in result.effects)
    index = pd.MultiIndex.from_arrays([first, second])
    columns = [result.outcome, *result.regressors]
    values = pd.DataFrame(rows[columns].to_numpy(dtype="float64"), index=index, columns=columns)
    fitted = PanelOLS(
        values[[result.outcome]],
        values[list(result.regressors)],
        entity_effects=True,
        time_effects=True,
    ).fit()
    return fitted.params.rename("coefficient")


def largest_difference(frame: pd.DataFrame, result: FixedEffectsResult) -> float:
    """The largest relative difference between a result's slopes and linearmodels' own."""
    theirs = panel_ols_slopes(frame, result)
    ours = result.coefficients[theirs.index]
    return float((np.abs(ours - theirs) / np.abs(theirs)).max())
