"""Firms matched between customs and the enterprise survey of the small simulated world, against its
truth of who is who, and the panel of matched firms.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from analysis.estimators.linear import fixed_effects
from analysis.report.recovery.__main__ import main
from analysis.report.recovery.matches import matches
from warehouse import panel
from warehouse.releases.publish import DATABASE
from warehouse.settings.config import Config
from warehouse.simulate.model.identities import SHOWN

PANEL = "panel_virtual_agglomeration_quality_firm"


@pytest.fixture(scope="module")
def truth(small_release: Config) -> dict[str, Any]:
    world: Path = small_release.home.parent / "world"
    return json.loads((world / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def published(small_release: Config) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(small_release.home / "current" / DATABASE), read_only=True)


@pytest.fixture(scope="module")
def table(small_release: Config) -> pd.DataFrame:
    return matches(small_release).set_index("firm-years")


def test_who_is_who_is_found_again(table: pd.DataFrame) -> None:
    assert table.loc["all", "in both"] > 1_000
    assert table.loc["all", "precision"] > 0.99
    assert table.loc["all", "recall"] > 0.93
    for shown in ("name", "name_since_a_year", "name_written_otherwise"):
        assert table.loc[f"shown_by: {shown}", "recall"] == 1, shown
    assert 0.7 < table.loc["shown_by: telephone", "recall"] < 1  # some firms of customs are silent
    assert table.loc["match_method: telephone", "precision"] > 0.95


def test_what_is_ambiguous_is_set_aside_and_what_nobody_shows_is_not_found(
    table: pd.DataFrame, published: duckdb.DuckDBPyConnection
) -> None:
    assert table.loc["shown_by: nothing", "found"] == 0
    shared = table.loc["shown_by: name_shared"]
    assert shared["ambiguous"] > 0 and shared["found"] + shared["ambiguous"] == shared["in both"]
    counted = published.sql(
        "select problem, rows_n from intermediate.int_virtual_agglomeration_quality__problem"
        " where index_name = 'int_firms__customs_match'"
    ).fetchall()
    ambiguous = int(table.loc["all", "ambiguous"])
    assert counted == [("ambiguous", ambiguous)]


def test_the_command_prints_precision_and_recall(
    small_release: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--matches", "--config", str(small_release.path)]) == 0
    printed = capsys.readouterr().out
    assert "precision" in printed and all(f"shown_by: {shown}" in printed for shown in SHOWN)


def test_matches_are_of_one_city_and_no_firm_is_two_in_a_year(
    truth: dict[str, Any], published: duckdb.DuckDBPyConnection
) -> None:
    for one, other in (("firm_id", "firm_code"), ("firm_code", "firm_id")):
        twice = published.sql(
            f"select {one}, year from intermediate.int_firms__customs_match"
            f" where match_problem is null group by all having count(distinct {other}) > 1"
        ).fetchall()
        assert twice == []
    for row in truth["firm_matches"]:
        known = truth["firms"].get(row["customs_code"])
        assert known is None or known["city_code"] == row["city_code"]


def test_the_panel_has_plausible_firms(small_release: Config) -> None:
    rows = panel(PANEL, config=small_release)
    assert rows["year"].between(2003, 2013).all() and len(rows) > 80
    assert rows["ln_firm_age"].between(0, np.log(60)).all()
    assert rows["ln_employees"].mean() == pytest.approx(5, abs=1.5)
    assert rows[["ln_employees", "ln_capital_per_employee"]].notna().mean().min() > 0.98


def test_quality_of_a_firm_is_that_of_its_cells(
    small_release: Config, published: duckdb.DuckDBPyConnection
) -> None:
    rows = panel(PANEL, config=small_release)
    whole = published.sql(
        "select firm_code, year, quality_index as known, quality_value_usd as value"
        " from intermediate.int_virtual_agglomeration_quality__firm_year"
    ).df()
    alone = rows[~rows.duplicated(["firm_code", "year"], keep=False)].merge(whole)
    same = alone["quality_value_usd"] == alone["value"]
    assert same.mean() > 0.9
    np.testing.assert_allclose(alone["quality_index"][same], alone["known"][same], rtol=1e-12)


def test_the_estimate_of_columns_4_and_5_can_be_made(small_release: Config) -> None:
    rows = panel(PANEL, config=small_release).dropna(subset=["virtual_agglomeration_index"])
    result = fixed_effects(
        rows,
        "quality_index",
        ["virtual_agglomeration_index", "ln_firm_age", "ln_employees", "ln_capital_per_employee"],
        effects=["city_code", "firm_code", "year"],
        covariance={"cluster": ["firm_code"]},
    )
    assert np.isfinite(result.standard_errors["virtual_agglomeration_index"])
