"""What becomes of each source in a refresh: read, failed, held back, gone, tried again; and what is
said of it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from expectations.checks import CheckResult
from flows.refresh import inputs, reading, start
from flows.refresh.finish import source_row
from flows.refresh.outcomes import SourceOutcome, hold_back, refuse_empty, stopped, tell_gone
from flows.refresh.summary import summary
from tests.conftest import write_config
from warehouse.errors import ReleaseError, SourceError
from warehouse.lake.loads import LoadReport, load_folder
from warehouse.releases.publish import Manifest
from warehouse.settings.config import Config, load_config


def test_a_source_in_trouble_keeps_its_former_loads(tmp_path: Path) -> None:
    report = LoadReport("prices", "l1", "rates.csv", "0" * 64, 1, "x", 1, 1)
    gone = replace(report, load_id="l2")
    load_folder(tmp_path, "prices", "l1").mkdir(parents=True)
    manifest = Manifest(
        "r", None, "", "", False, "", "", "", loads=[report.__dict__, gone.__dict__]
    )
    kept = stopped("failed", "prices", "it broke", manifest, tmp_path, False)
    assert kept.loads == (report,)
    assert kept.message == "it broke (its former 1 files stay in use)"
    assert (
        stopped("failed", "prices", "it broke", None, tmp_path, False).message
        == "it broke (its columns are null)"
    )


def former_of(*loads: LoadReport) -> Manifest:
    return Manifest("r", None, "", "", False, "", "", "", loads=[load.__dict__ for load in loads])


def test_files_that_are_gone_are_told(tmp_path: Path) -> None:
    names = [f"customs_{year}.csv" for year in range(2000, 2008)]
    loads = [
        LoadReport("customs", f"l{at}", name, f"{at:064x}", 1, "x", 1, 1)
        for at, name in enumerate(names)
    ]
    renamed, replaced = (
        replace(loads[1], file_name="other.csv"),
        replace(loads[2], fingerprint="f" * 64),
    )
    (told,) = tell_gone(
        [SourceOutcome("customs", "loaded", (*loads[3:], renamed, replaced))], former_of(*loads)
    )
    assert told.message == "1 file of the former release is gone: customs_2000.csv"
    (told,) = tell_gone([SourceOutcome("customs", "loaded", (loads[0],))], former_of(*loads))
    assert (
        told.message
        == f"7 files of the former release are gone: {', '.join(names[1:6])} and 2 more"
    )
    assert source_row(told)["message"] == told.message
    for outcome in (
        SourceOutcome("customs", "loaded", tuple(loads)),
        SourceOutcome("customs", "failed", message="it broke"),
    ):
        assert tell_gone([outcome], former_of(*loads)) == [outcome]


def test_one_of_two_files_of_one_name_is_gone() -> None:
    north, south = (
        LoadReport("customs", load_id, "2000.csv", load_id * 32, 1, "x", 1, 1)
        for load_id in ("aa", "bb")
    )
    (told,) = tell_gone([SourceOutcome("customs", "loaded", (north,))], former_of(north, south))
    assert told.message == "1 file of the former release is gone: 2000.csv"


def test_the_summary_says_what_is_gone_and_what_customs_needs() -> None:
    load = LoadReport("customs", "l1", "2000.csv", "0" * 64, 1, "x", 1, 1)
    outcomes = [
        SourceOutcome(
            "customs", "loaded", (load,), "1 file of the former release is gone: 2001.csv"
        ),
        SourceOutcome("divisions", "not_configured"),
    ]
    from flows.refresh.flow import Refreshed  # imports Prefect, which takes seconds

    text = summary(Refreshed(former_of(load), tuple(outcomes), 1, 1, ()), 1.0)
    assert "\ncustoms: 1 file of the former release is gone: 2001.csv\n" in text
    sentence = (
        "customs needs concordance, divisions and postcodes: without them no record can be placed "
        "and trade columns are null"
    )
    assert f"\n{sentence} (missing: concordance, divisions, postcodes).\n" in text
    filled = [
        SourceOutcome(name, "loaded", (load,))
        for name in ("customs", "concordance", "divisions", "postcodes")
    ]
    assert "customs needs" not in summary(Refreshed(former_of(load), tuple(filled), 1, 1, ()), 1.0)


@pytest.mark.parametrize("passes", [True, False])
def test_a_source_that_failed_is_tried_again_although_nothing_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passes: bool
) -> None:
    file = tmp_path / "world" / "prices" / "rates.csv"
    file.parent.mkdir(parents=True)
    file.write_text("x", encoding="utf-8")
    config = load_config(
        write_config(tmp_path / "citytrade.toml", tmp_path / "world", simulate=False)
    )
    config = replace(config, sources={"prices": config.sources["prices"]})
    report = LoadReport("prices", "l1", "rates.csv", "0" * 64, 1, "x", 1, 1)

    def load(*_: object) -> tuple[LoadReport, bool]:
        if not passes:
            raise SourceError("rates.csv", "", "still broken", "Mend it")
        return report, False

    monkeypatch.setattr(reading, "load_file", load)
    told: list[str] = []
    former = replace(
        former_of(), sources=[{"source": "prices", "status": "failed", "message": "it broke"}]
    )
    assert start._recovered(config, inputs.find_inputs(config), former, told.append) == (
        ["prices"] if passes else []
    )
    assert told[0] == "Trying prices again, which failed in the former release"
    fine = replace(former, sources=[{"source": "prices", "status": "loaded", "message": ""}])
    assert start._recovered(config, inputs.find_inputs(config), fine, told.append) == []


def test_a_failed_delivery_holds_its_source_only(tmp_path: Path) -> None:
    outcomes = [SourceOutcome("prices", "loaded"), SourceOutcome("customs", "loaded")]
    failure = CheckResult(
        "delivery",
        "deliveries.prices__exchange_rates",
        "prices__exchange_rates",
        "year",
        "not_null",
        "critical",
        False,
        False,
        1,
        "",
        "{}",
    )
    warning = replace(failure, table_name="customs__records", severity="warning")
    held, loaded = hold_back(outcomes, [failure, warning], None, tmp_path)
    assert (held.status, loaded.status) == ("held", "loaded")
    assert "prices__exchange_rates.year: not_null fails" in held.message


def test_nothing_readable_is_no_release(tiny_config: Config) -> None:
    with pytest.raises(ReleaseError, match="names no source"):
        refuse_empty(tiny_config, [])
    config = replace(tiny_config, sources={"prices": object()})  # type: ignore[dict-item]
    with pytest.raises(ReleaseError, match=r"(?s)No source could be read.*prices: it broke"):
        refuse_empty(config, [SourceOutcome("prices", "failed", message="it broke")])
