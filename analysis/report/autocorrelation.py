"""Print Moran's I of a panel's column, by year, with the warehouse's own weights.

python -m analysis.report.autocorrelation city_year digital_finance_index --years 2011 2020
[--weights k_nearest] [--permutations 999] [--config FILE]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.estimators import MoranResult, SpatialWeights, moran
from analysis.papers.release import WEIGHTS, warehouse_weights
from analysis.report.origin import origin
from warehouse import connect, panel
from warehouse.errors import CitytradeError

SHOWN = [
    "n",
    "moran_i",
    "expected_i",
    "z_normal",
    "p_normal",
    "z_random",
    "p_random",
    "p_permutation",
    "geary_c",
]


def panel_moran(
    name: str,
    column: str,
    weights: str = "contiguity",
    years: int | tuple[int, int] | None = None,
    permutations: int = 0,
    config: Any = None,
    release: str | None = None,
) -> MoranResult:
    """Moran's I of a column of a panel of cities: a row a year, and pooled; one row for a panel
    without years.

    Years in which the column has no value are left out; weights are divided again among the cities
    that have one.

    Raises
    ------
    CitytradeError : an unknown panel, column or kind of weights, or a column that Moran's I cannot
        be had of, with the reason.
    """
    return _moran(*_read(name, column, weights, years, config, release), column, permutations)


def _read(
    name: str,
    column: str,
    kind: str,
    years: int | tuple[int, int] | None,
    config: Any,
    release: str | None = None,
) -> tuple[pd.DataFrame, SpatialWeights]:
    """The panel's column and the weights, both of one release."""
    frame = panel(name, years=years, columns=[column], config=config, release=release)
    with connect(config, frame.attrs["release"]) as connection:
        return frame, warehouse_weights(connection, kind)


def _moran(
    frame: pd.DataFrame, weights: SpatialWeights, column: str, permutations: int
) -> MoranResult:
    time = "year" if "year" in frame.columns else None
    try:
        return moran(frame, column, weights, time=time, permutations=permutations)
    except ValueError as error:
        raise CitytradeError(f"{column}: {error}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the statistics; 0 if they were computed, 1 with one line on standard error if they
    could not be.
    """
    parser = argparse.ArgumentParser(
        prog="python -m analysis.report.autocorrelation",
        description="Moran's I and Geary's C of a panel's column, by year.",
    )
    parser.add_argument("panel", help="a panel with one row a city, or a city and year")
    parser.add_argument("column", help="one of its columns")
    parser.add_argument(
        "--weights",
        choices=WEIGHTS,
        default="contiguity",
        help="who neighbours whom (default: %(default)s)",
    )
    parser.add_argument(
        "--years",
        type=int,
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="first and last year; all if not given",
    )
    parser.add_argument(
        "--permutations",
        type=int,
        default=0,
        help="random rearrangements for p_permutation (default: none)",
    )
    parser.add_argument("--config", help="the configuration file whose warehouse is read")
    given = parser.parse_args(arguments)
    try:
        years = (given.years[0], given.years[1]) if given.years else None
        frame, weights = _read(given.panel, given.column, given.weights, years, given.config)
        result = _moran(frame, weights, given.column, given.permutations)
    except CitytradeError as error:
        print(error, file=sys.stderr)
        return 1
    shown = result.statistics[SHOWN].dropna(axis=1, how="all")
    print(f"{origin(frame)}\n\n{shown.to_string(float_format='{:.4f}'.format)}\n{result.note()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
