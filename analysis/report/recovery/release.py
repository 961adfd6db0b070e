"""Truths beside estimates on a published release of a simulated world."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from analysis.report.recovery.core import Estimates, compare_with_truth
from analysis.report.recovery.papers import PAPERS
from warehouse import connect, panel
from warehouse.errors import CitytradeError
from warehouse.settings.config import Config, load_config

TRUTH = "truth.json"


def recovered(config: Config, slugs: tuple[str, ...] = ()) -> pd.DataFrame:
    """One row a headline that the release's panels estimate.

    Parameters
    ----------
    slugs : papers; none for all

    Raises
    ------
    CitytradeError : an unknown paper, or a configuration without a simulated world.
    """
    unknown = sorted(set(slugs) - set(PAPERS))
    if unknown:
        raise CitytradeError(
            f"No headlines of {', '.join(unknown)}. There are: {', '.join(PAPERS)}."
        )
    headlines = dict(truth(config)["headlines"])
    found: Estimates = {}
    for slug in slugs or tuple(PAPERS):
        paper = PAPERS[slug]
        frames = {name: panel(name, config=config) for name in paper.panels}
        with connect(config) as connection:
            for name in paper.tables:
                frames[name] = connection.execute(f"from intermediate.{name} order by all").df()
        found[slug] = paper.estimates(frames)
    return compare_with_truth(headlines, found)


def truth(config: Config) -> dict[str, Any]:
    """What truth.json says of the release's world.

    Raises
    ------
    CitytradeError : a configuration without a simulated world.
    """
    if config.simulate is None or not (config.simulate.directory / TRUTH).is_file():
        raise CitytradeError(
            f"{config.path}: names no simulated world with a {TRUTH}. Only of a simulated world is"
            " the truth known: run `citytrade refresh` with a [simulate] table."
        )
    return dict(json.loads((config.simulate.directory / TRUTH).read_text(encoding="utf-8")))


def load(path: str | None) -> Config:
    """The configuration in force or the one named."""
    return load_config(path)
