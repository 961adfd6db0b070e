"""How far a share of draws may lie from what is said of it."""

from __future__ import annotations

import pandas as pd

TEST_DRAWS = 400  # of a test; the command of each file draws as often as its page says


def as_said(shares: pd.Series, draws: int, said: float = 0.95) -> bool:
    """Whether each share of so many draws lies within three binomial standard errors of `said`."""
    margin = 3 * (said * (1 - said) / draws) ** 0.5
    return bool(shares.between(said - margin, said + margin).all())
