"""A paper of one's own, as a new user writes it from docs/own_paper.md alone: a GMM table, an IV
table of both stages, a spatial system and the figure of a difference in differences.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from analysis.papers import Release, read_paper
from analysis.papers.run import estimate_tables
from flows.cli import main as citytrade
from warehouse.settings.config import Config

PROBE = """title = "Probe"
years = [2003, 2019]
panel = "city_year"
[defaults]
outcome = "ln_export_value_usd"
prepare = [
    { log = ["export_value_usd", "gdp_per_head_cny"] },
    { lag = "ln_gdp_per_head_cny", as = "ln_gdp_before" },
]
[rows]
"Exports before" = "L1.ln_export_value_usd"
"GDP per head" = "ln_gdp_per_head_cny"
"Instrument" = "ln_gdp_before"
N = { statistic = "n" }
Hansen = { statistic = "hansen_p_value" }
F = { statistic = "kleibergen_paap_f_statistic" }
[tables.t1]
title = "GMM"
estimator = "dynamic_gmm"
regressors = ["L.ln_export_value_usd", "ln_gdp_per_head_cny"]
gmm = [
    { variables = "L.ln_export_value_usd ln_gdp_per_head_cny", lags = [1, 3], collapse = true },
]
[tables.t2]
title = "IV, both stages"
estimator = "instrumental_variables"
endogenous = ["ln_gdp_per_head_cny"]
instruments = ["ln_gdp_before"]
effects = ["city_code", "year"]
covariance = { cluster = ["city_code"] }
[[tables.t2.columns]]
equation = "first stage of ln_gdp_per_head_cny"
[[tables.t2.columns]]
from = "1"
equation = "ln_export_value_usd"
[tables.t3]
title = "Spatial system"
years = [2015, 2015]
estimator = "generalised_spatial_three_stage"
weights = "contiguity"
[tables.t3.equations]
exports = { outcome = "ln_export_value_usd", regressors = ["tertiary_share", "fdi_share"] }
income = { outcome = "ln_gdp_per_head_cny", regressors = ["fiscal_self_sufficiency_share"] }
[[tables.t3.columns]]
equation = "exports"
[[tables.t3.columns]]
from = "1"
equation = "income"
rows = { "GDP per head" = "ln_export_value_usd" }
[figures.f1]
title = "Event study"
kind = "event_study"
estimator = "event_study"
cohort = "ecommerce_zone_year"
unit = "city_code"
time = "year"
first = -3
last = 3
missing_cohort = "never"
"""


@pytest.fixture
def probe(tmp_path: Path) -> Path:
    folder = tmp_path / "my_paper"
    folder.mkdir()
    (folder / "paper.toml").write_text(PROBE, encoding="utf-8")
    return folder


def test_the_probe_runs_from_start_to_figure(
    probe: Path, small_release: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(PROBE.splitlines()) < 60
    done = {
        one.table.name: one
        for one in estimate_tables(read_paper(probe), Release(small_release), keep=False)
    }
    reasons = [e.reason for one in done.values() for e in one.estimates.values() if e.reason]
    assert reasons == []
    for name, rows in {
        "1": {"Exports before", "GDP per head", "N", "Hansen"},
        "2": {"GDP per head", "Instrument", "N", "F"},
        "3": {"GDP per head", "N"},
    }.items():
        assert rows <= {cell.row for cell in done[name].cells}, name
    stages = {(cell.column, cell.row) for cell in done["2"].cells}
    assert {("1", "Instrument"), ("2", "GDP per head")} <= stages
    assert ("1", "GDP per head") not in stages
    out = probe.parent / "out"
    code = citytrade(
        ["papers", "--folder", str(probe), "-o", str(out), "--config", str(small_release.path)]
    )
    assert code == 0
    shown = capsys.readouterr().out
    names = {file.name for file in out.iterdir()}
    stem = "simulated_my_paper_figure_1"
    assert {f"{stem}.csv", f"{stem}.svg", f"{stem}.png"} <= names, shown
    with (out / f"{stem}.csv").open(encoding="utf-8-sig") as file:
        times = [float(row["event_time"]) for row in csv.DictReader(file)]
    assert times == sorted(times) and -1 in times
    assert (out / "simulated_my_paper_table_1.txt").read_text("utf-8").startswith("SIMULATED DATA")


def test_the_start_that_is_written_runs(
    tmp_path: Path, small_release: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new_paper"
    assert citytrade(["papers", "new", str(folder)]) == 0
    code = citytrade(
        ["papers", "--folder", str(folder), "--format", "md", "--config", str(small_release.path)]
    )
    shown = capsys.readouterr().out
    assert code == 0
    assert "GDP per head" in shown and "cannot be run" not in shown.splitlines()[-4]
    assert citytrade(["papers", "new", str(folder)]) == 1
    assert "is there already" in capsys.readouterr().err
