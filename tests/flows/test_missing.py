"""What a release without some of its sources or years says, and what alone is refused."""

from __future__ import annotations

import pytest

from expectations.checks import CheckResult
from flows.refresh import dbt
from flows.refresh.outcomes import (
    SourceOutcome,
    has_every_source,
    refuse_empty,
    refuse_failures,
    tell_empty,
)
from flows.refresh.summary import empty_lines
from tests.conftest import write_config
from warehouse.errors import ReleaseError
from warehouse.lake.loads import LoadReport
from warehouse.settings.config import Config, load_config

YEARS = (2003, 2011)


def load(
    source: str, first: int | None = None, last: int | None = None, accepted_n: int = 5
) -> LoadReport:
    return LoadReport(
        source,
        "l",
        "f.csv",
        "0" * 64,
        1,
        "layout",
        5,
        accepted_n,
        {"bad_year": 5 - accepted_n},
        {},
        first,
        last,
    )


def rows_check(panel: str, success: bool = False) -> CheckResult:
    observed = (
        "" if success else "between 2003 and 2011 no row has all the data that it is made from"
    )
    return CheckResult(
        "panel",
        f"panels.{panel}",
        panel,
        "",
        "rows at least 1",
        "warning",
        success,
        False,
        None,
        observed,
        "",
    )


OUTCOMES = [
    SourceOutcome("customs", "not_configured"),
    SourceOutcome("yearbook", "loaded", (load("yearbook", 2003, 2023),)),
    SourceOutcome("digital_finance", "loaded", (load("digital_finance", 2012, 2021),)),
    SourceOutcome("divisions", "loaded", (load("divisions"),)),
]
PANELS = {
    "city_year": ("customs", "yearbook"),
    "panel_a": ("customs", "digital_finance", "divisions"),
    "panel_b": ("customs", "digital_finance"),
}


def test_an_empty_panel_names_what_it_lacks_and_panels_that_lack_the_same_share_a_line() -> None:
    checks = [rows_check("city_year", success=True), rows_check("panel_a"), rows_check("panel_b")]
    told = tell_empty(checks, PANELS, OUTCOMES, YEARS)
    refuse_failures(told)
    assert told[0] == checks[0]
    assert empty_lines(told) == [
        "Without rows: panel_a, panel_b: between 2003 and 2011 no row has all the data that it is"
        " made from; without customs; no rows of these years in digital_finance."
    ]


def test_all_panels_may_be_empty_but_a_broken_key_stops() -> None:
    refuse_failures([rows_check("city_year"), rows_check("panel_a")])
    broken = CheckResult(
        "panel",
        "panels.city_year",
        "city_year",
        "city_code, year",
        "unique",
        "critical",
        False,
        False,
        2,
        "",
        "",
    )
    with pytest.raises(ReleaseError, match="1 critical checks of panels failed"):
        refuse_failures([rows_check("panel_a"), broken])


def test_every_source_counts_only_with_rows_of_the_years_asked_for() -> None:
    assert not has_every_source(OUTCOMES, (2003, 2011))
    assert not has_every_source(OUTCOMES[1:], (2003, 2011))
    assert has_every_source(OUTCOMES[1:], (2003, 2012))


def test_a_release_of_nothing_is_refused(tiny_config: Config) -> None:
    config = load_config(
        write_config(tiny_config.path, tiny_config.path.parent / "world", simulate=False)
    )
    refuse_empty(config, [SourceOutcome("prices", "loaded", (load("prices"),))])
    with pytest.raises(
        ReleaseError, match=r"no row that can be used \(5 set aside\)[^\n]*\n  bad_year: 5$"
    ):
        refuse_empty(config, [SourceOutcome("prices", "loaded", (load("prices", accepted_n=0),))])


def test_a_panel_knows_the_sources_that_it_stands_on() -> None:
    nodes = {
        "model.p.panel": {
            "name": "panel",
            "depends_on": {"nodes": ["model.p.int", "seed.p.cities"]},
        },
        "model.p.int": {
            "name": "int_x__y",
            "depends_on": {
                "nodes": ["model.p.stg_risk__geopolitical", "model.p.stg_world_trade__flows"]
            },
        },
        "model.p.stg_risk__geopolitical": {
            "name": "stg_risk__geopolitical",
            "depends_on": {"nodes": []},
        },
        "model.p.stg_world_trade__flows": {
            "name": "stg_world_trade__flows",
            "depends_on": {"nodes": []},
        },
        "model.p.stg_prices__consumer": {
            "name": "stg_prices__consumer",
            "depends_on": {"nodes": []},
        },
        "seed.p.cities": {"name": "cities", "depends_on": {}},
    }
    assert dbt._made_from(nodes, "model.p.panel") == ("risk", "world_trade")
