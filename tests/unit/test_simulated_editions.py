"""One simulated world in every edition of the inter-country tables: the same coefficients, as far
as the industries go.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from warehouse.lake.loads import load_folder
from warehouse.simulate.model.geography import PROJECT
from warehouse.simulate.model.technology import draw_technology
from warehouse.simulate.writers.input_output.icio import grouping
from warehouse.simulate.writers.input_output.national import (
    ICIO_YEARS,
    OTHER_EDITIONS,
    write_input_output,
)
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file

SEED = PROJECT / "dbt_project" / "seeds" / "judgments" / "io_industries.csv"
DIVISIONS = pd.read_csv(SEED, dtype=str).query("source_table == 'icio'")


@pytest.fixture(scope="module")
def coefficients(tmp_path_factory) -> dict[str, pd.Series]:
    """Edition -> (input division, using division) -> direct requirement coefficient, read back from
    the files.
    """
    folder = tmp_path_factory.mktemp("tables")
    random = np.random.default_rng(3)
    write_input_output(folder, draw_technology(random), random, lambda _: None)
    frames = []
    for file in sorted(folder.glob("*")):
        if "national" not in file.name and str(ICIO_YEARS[1]) not in file.name:
            report, _ = load_file(get_source("input_output"), file, folder / "lake")
            assert report.set_aside == {}
            frames.append(
                pd.read_parquet(
                    load_folder(folder / "lake", "input_output", report.load_id)
                    / "input_output__icio.parquet"
                )
            )
    return {
        str(edition): _coefficients(cells, str(edition))
        for edition, cells in pd.concat(frames).groupby("edition")
    }


def _coefficients(cells: pd.DataFrame, edition: str) -> pd.Series:
    codes = DIVISIONS[DIVISIONS["edition"] == edition]
    own = ["CN1", "CN2"] if edition < "2023" else ["CHN"]
    bought = (
        cells[cells["column_country"].isin(own)]
        .groupby(["row_industry", "column_code"])["value_usd_million"]
        .sum()
        .unstack()
    )
    output = bought.loc["OUT" if "OUT" in bought.index else "OUTPUT"]
    users = codes.groupby("isic4_code")["industry_code"].agg(list)
    sellers = {
        name: codes.loc[codes["isic4_code"] == name, "industry_code"].tolist()
        for name in ("46", "61", "62", "35")
    }
    held = {division: names for division, names in users.items() if output[names].sum() > 0}
    return pd.Series(
        {
            (s, d): bought.loc[rows, names].to_numpy().sum() / output[names].sum()
            for s, rows in sellers.items()
            for d, names in held.items()
        }
    )


def test_every_edition_is_there(coefficients):
    assert sorted(coefficients) == sorted([*OTHER_EDITIONS, "2021"])


@pytest.mark.parametrize("edition", ["2018", "2023", "2025"])
def test_digital_services_per_unit_of_output_are_the_same(coefficients, edition):
    """Using industries that the edition shares with 2021 (18 of manufacturing even with the
    coarsest): equal to the last printed digit.
    """
    known, other = coefficients["2021"], coefficients[edition]
    held = {
        e: (
            DIVISIONS[DIVISIONS["edition"] == e]
            .groupby("industry_code")["isic4_code"]
            .agg(frozenset)
        )
        for e in ("2021", edition)
    }
    parts = (
        DIVISIONS[DIVISIONS["edition"] == edition].groupby("isic4_code")["industry_code"].nunique()
    )
    shared = {
        d
        for block in set(held["2021"])
        for d in block
        if block in set(held[edition]) or all(frozenset({d}) in set(held[edition]) for d in block)
    }
    shared |= {d for d, n in parts.items() if n > 1}
    pairs = [(s, d) for s in ("46", "61", "62") for d in sorted(shared) if (s, d) in known.index]
    assert len(pairs) > 3 * 40
    np.testing.assert_allclose(other[pairs], known[pairs], rtol=1e-8)


def test_the_edition_of_2016_bundles_post_with_telecommunications(coefficients):
    known, other = coefficients["2021"], coefficients["2016"]
    same = [
        (s, d)
        for s in ("46", "62")
        for d in ("13", "16", "22", "23", "24", "25", "26", "27", "28", "29", "30")
    ]
    np.testing.assert_allclose(other[same], known[same], rtol=1e-8)
    assert all(other["61", d] > known["61", d] for d in ("13", "24", "26"))


@pytest.mark.parametrize("edition", OTHER_EDITIONS)
def test_a_regrouping_loses_nothing(edition):
    codes, shares = grouping(edition)
    assert len(set(codes)) == {"2016": 34, "2018": 36, "2023": 45, "2025": 50}[edition]
    np.testing.assert_allclose(shares.sum(axis=0), 1, rtol=0, atol=1e-15)
