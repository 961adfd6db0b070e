"""ecommerce_resilience: its printed numbers, and the whole way from raw files to its tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.estimators import fixed_effects, largest_difference, panel_ols_slopes
from analysis.papers import PaperError, Release, load_paper
from analysis.papers.run import estimate_tables
from analysis.report.__main__ import main
from flows.cli import main as citytrade
from warehouse import panel
from warehouse.settings.config import Config

SLUG = "ecommerce_resilience"
REGRESSORS = ["zone_did", "agglomeration", "openness_share", "fdi_share", "science_share", "ln_fdi"]


def printed() -> pd.Series:
    """Coefficients of table 4 by row and column."""
    published = load_paper(SLUG).published.query("table == '4'").set_index(["row", "column"])
    return published["coefficient"].astype(float)


def test_published_numbers_are_the_papers() -> None:
    published = load_paper(SLUG).published.query("table == '4'").set_index(["row", "column"])
    zone = published.loc["DID"]
    assert zone["coefficient"].tolist() == ["0.029", "0.017", "0.017", "0.016", "0.016", "0.016"]
    assert zone["bracket"].tolist() == ["7.508", "4.406", "4.473", "4.461", "4.592", "4.614"]
    assert printed()["观测值"].tolist() == [2480] * 6
    last = published.xs("6", level="column")
    assert last.loc["市场开放度", ["bracket", "stars"]].tolist() == ["2.587", "**"]
    assert set(published["bracket_kind"]) == {"t", ""}


def test_every_column_of_table_4_has_its_regressors() -> None:
    for at, column in enumerate(load_paper(SLUG).table("t4").columns.values(), start=1):
        asked = column.estimation
        assert asked is not None
        assert asked.arguments["regressors"] == REGRESSORS[:at]
        assert asked.arguments["covariance"] == {"cluster": ["city_code"]}
        assert (asked.years, asked.arguments["constant"]) == ((2012, 2021), "first_period")


def test_printed_constants_are_of_the_first_year() -> None:
    """notes.md, 2: a constant at the mean of the effects would be further from the printed one than
    rounding allows.
    """
    mean_index, mean_zone, mean_agglomeration = 0.097, 0.113, 0.348
    found = printed()
    one = mean_index - mean_zone * found["DID", "1"]
    two = (
        mean_index - mean_zone * found["DID", "2"] - mean_agglomeration * found["经济集聚水平", "2"]
    )
    assert one - found["常数项", "1"] > 0.015
    assert two - found["常数项", "2"] > 0.009


def test_from_raw_files_to_the_printed_table(
    small_release: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """Simulated raw files, published panel, estimate: table 4 as a reader prints it."""
    [done] = estimate_tables(load_paper(SLUG), Release(small_release), ["t4"], keep=False)
    frame = panel("panel_ecommerce_resilience", config=small_release)
    for name, estimate in done.estimates.items():
        assert estimate.statistics["nobs"] == len(frame), estimate.note
        assert np.isfinite(estimate.terms["std_error"]).all(), name
    capsys.readouterr()
    assert citytrade(["papers", SLUG, "--table", "4", "--config", str(small_release.path)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("SIMULATED DATA")
    for name in ("1", "6"):
        [zone] = [cell for cell in done.cells if (cell.column, cell.row) == (name, "DID")]
        assert f"({zone.statistic:.3f})" in shown
        assert f"({zone.printed_bracket})" in shown
        assert done.estimates[name].note in shown


def test_what_is_not_there_is_named(small_release: Config) -> None:
    with pytest.raises(PaperError, match="no table 't9'"):
        estimate_tables(load_paper(SLUG), Release(small_release), ["t9"], keep=False)


def test_a_command_that_fails_says_why_in_one_line(
    small_release: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert citytrade(["papers", SLUG, "--table", "99", "--config", str(small_release.path)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "no table '99'" in shown.err


def test_statistics_are_printed(small_release: Config, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([SLUG, "statistics", "--config", str(small_release.path)]) == 0
    assert capsys.readouterr().out.startswith("SIMULATED DATA")


def test_linearmodels_estimates_the_same_slopes(small_release: Config) -> None:
    """Table 4, columns 1 and 6, off the published panel, by linearmodels' PanelOLS."""
    paper = load_paper(SLUG)
    frame = panel("panel_ecommerce_resilience", years=(2012, 2021), config=small_release.path)
    for name in ("1", "6"):
        asked = paper.table("4").columns[name].estimation
        assert asked is not None
        result = fixed_effects(frame, **asked.arguments)
        assert list(panel_ols_slopes(frame, result).index) == asked.arguments["regressors"]
        assert largest_difference(frame, result) < 1e-9
