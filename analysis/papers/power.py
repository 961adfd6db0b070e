"""What the headlines of papers could have found: smallest detectable effects, and the power to find
a true or a printed effect with the standard error at hand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd
from scipy import stats

from analysis.papers.cells import Cell
from analysis.papers.declared import Paper
from analysis.papers.run import Estimated

LEVEL, POWER = 0.05, 0.8
SURE = 12  # standard errors; an effect of more is always found, and t has no law there
COLUMNS = [
    "paper", "table", "column", "row", "estimate", "std_error", "detectable", "share",
    "truth", "power_at_truth", "printed", "power_at_printed",
]  # fmt: skip


def headline_tables(paper: Paper, truths: Iterable[Any]) -> list[str]:
    """Tables that hold a headline: a number that a curve follows, or of which a truth is known."""
    named = [curve.table for curve in paper.curves.values()]
    named += [str(one.get("table", "")).lower().removeprefix("t") for one in truths]
    return [name for name in paper.tables if name in named]


def power_rows(done: Estimated) -> pd.DataFrame:
    """The headlines of a table.

    Returns
    -------
    COLUMNS, a row a headline. detectable: the smallest true effect that a 5 % test finds in four
    samples of five (Bloom 1995); share: the estimate over it; power: how often a 5 % test finds an
    effect of the size of the truth, or of the printed coefficient, with this standard error
    """
    followed = {(one.table, one.column, one.row) for one in done.paper.curves.values()}
    rows = [
        _row(done, cell)
        for cell in done.cells
        if not math.isnan(cell.std_error)
        and (cell.holds is not None or (cell.table, cell.column, cell.row) in followed)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(done: Estimated, cell: Cell) -> dict[str, Any]:
    df = done.estimates[cell.column].statistics.get("df", math.inf)
    quantile = stats.norm.ppf if math.isinf(df) else stats.t(df).ppf
    detectable = cell.std_error * float(quantile(1 - LEVEL / 2) + quantile(POWER))
    printed = float(cell.printed) if cell.printed else math.nan
    return {
        "paper": done.paper.slug,
        "table": cell.table,
        "column": cell.column,
        "row": cell.row,
        "estimate": cell.ours,
        "std_error": cell.std_error,
        "detectable": detectable,
        "share": abs(cell.ours) / detectable,
        "truth": cell.truth,
        "power_at_truth": power_of(cell.truth, cell.std_error, df),
        "printed": printed,
        "power_at_printed": power_of(printed, cell.std_error, df),
    }


def power_of(effect: float, std_error: float, df: float = math.inf) -> float:
    """Share of samples in which a two-sided 5 % test finds an effect; NaN of one not known.

    Parameters
    ----------
    df : degrees of freedom of t; infinite for the normal
    """
    if math.isnan(effect) or math.isnan(std_error):
        return math.nan
    if abs(effect) > SURE * std_error:
        return 1.0
    if math.isinf(df):
        law, limit = stats.norm(effect / std_error), float(stats.norm.ppf(1 - LEVEL / 2))
    else:
        law, limit = stats.nct(df, effect / std_error), float(stats.t.ppf(1 - LEVEL / 2, df))
    return float(law.sf(limit) + law.cdf(-limit))


def shown(rows: pd.DataFrame) -> Iterator[str]:
    """The rows as lines of text."""
    texts = [
        [
            f"{value:.4g}" if isinstance(value, float) and not math.isnan(value)
            else "" if isinstance(value, float) else str(value)
            for value in row
        ]
        for row in rows.itertuples(index=False)
    ]  # fmt: skip
    heads = [name.replace("_", " ") for name in COLUMNS]
    widths = [max(map(len, column)) for column in zip(heads, *texts, strict=True)]
    for line in [heads, ["-" * width for width in widths], *texts]:
        pairs = enumerate(zip(line, widths, strict=True))
        yield "  ".join(t.ljust(w) if at < 4 else t.rjust(w) for at, (t, w) in pairs).rstrip()
