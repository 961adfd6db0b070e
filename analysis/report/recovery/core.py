"""Truths beside estimates, one line a headline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

Panels = Mapping[str, pd.DataFrame]


class Estimate(NamedTuple):
    """An estimate with its standard error, or with a test's own p that it is zero."""

    value: float
    standard_error: float
    p: float = math.nan


Estimates = dict[str, dict[str, Estimate]]  # slug -> headline, or headline[label] -> estimate


def compare_with_truth(
    headlines: Mapping[str, Mapping[str, Mapping[str, Any]]], estimates: Estimates
) -> pd.DataFrame:
    """One row a truth that was estimated: slug, headline, truth, estimate, standard_error, p, ratio
    = (estimate - truth) / standard error.

    Raises
    ------
    KeyError : an estimate of something that the truth does not know.
    """
    rows = []
    for slug, found in estimates.items():
        for name, estimate in found.items():
            head, _, label = name.partition("[")
            value = headlines[slug][head]["value"]
            truth = float(value[label.rstrip("]")] if label else value)
            ratio = (estimate.value - truth) / estimate.standard_error
            rows.append((slug, name, truth, *estimate, ratio))
    columns = ["slug", "headline", "truth", "estimate", "standard_error", "p", "ratio"]
    return pd.DataFrame(rows, columns=columns)


def over_worlds(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Of the tables of several worlds, one row a headline: mean error and its Monte Carlo error,
    their ratio, the share of 95 % intervals that hold the truth, and of worlds where zero is
    rejected at 5 %; a test without a standard error has no interval.
    """
    every = pd.concat(tables, ignore_index=True)
    every["error"] = every["estimate"] - every["truth"]
    every["covered"] = (every["ratio"].abs() < 1.96).astype(float).where(every["ratio"].notna())
    by_error = (every["estimate"] / every["standard_error"]).abs() > 1.96
    every["rejected"] = (every["p"] < 0.05).where(every["p"].notna(), by_error)
    keys = ["slug", "headline", *(["choice"] if "choice" in every else [])]
    groups = every.groupby(keys, sort=False)
    table = groups.agg(
        worlds=("error", "size"),
        truth=("truth", "mean"),
        mean_error=("error", "mean"),
        deviation=("error", "std"),
        mean_standard_error=("standard_error", "mean"),
        coverage=("covered", "mean"),
        rejections=("rejected", "mean"),
    )
    table["monte_carlo_error"] = table["deviation"] / np.sqrt(table["worlds"])
    table["bias_ratio"] = table["mean_error"] / table["monte_carlo_error"]
    return table.reset_index()
