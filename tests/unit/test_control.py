"""Control totals, deliveries that shrink or grow, freshness, and releases that were altered."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from flows.refresh import start
from flows.refresh.control import YearTotal, control, missed_totals, tell_stale, year_totals
from flows.refresh.inputs import find_inputs
from flows.refresh.leftovers import prune_lake_to_releases
from flows.refresh.outcomes import SourceOutcome
from tests.conftest import MakeRelease, unseal
from warehouse.errors import ConfigError, ReleaseError
from warehouse.lake.loads import LoadReport, load_folder, sql_text
from warehouse.lake.schema import SET_ASIDE, as_select, stored
from warehouse.releases.publish import MANIFEST, Manifest
from warehouse.settings.config import Config, SourceSettings, load_config, with_secrets
from warehouse.settings.controls import Alerts, Controls, ControlTotal
from warehouse.sources import lake_tables


def delivered(
    lake: Path, load_id: str, good: dict[int, int], bad: dict[int, int] | None = None
) -> LoadReport:
    """A load of customs records: rows by year, each worth 2.50 USD, good ones and those
    set aside.
    """
    folder = load_folder(lake, "customs", load_id)
    folder.mkdir(parents=True)
    frames = {"customs__records": good, "set_aside": bad or {}}
    with duckdb.connect() as connection:
        for table, years in frames.items():
            frame = pd.DataFrame(
                [
                    {"year": year, "value_cents": 250}
                    for year, count in years.items()
                    for _ in range(count)
                ],
                columns=["year", "value_cents"],
            )
            connection.register("given", frame)
            given = {"year", "value_cents"}
            kept = SET_ASIDE if table == "set_aside" else stored(lake_tables()[table])
            columns = as_select(kept, dict.fromkeys(set(kept) - given, "null"))
            connection.execute(
                f"copy (select {columns} from given) to {sql_text(folder / f'{table}.parquet')}"
                " (format parquet)"
            )
            connection.unregister("given")
    accepted, aside = sum(good.values()), sum((bad or {}).values())
    counts = {"set_aside": {"bad_date": aside}, "tables": {"customs__records": accepted}}
    return LoadReport(
        "customs",
        load_id,
        f"{load_id}.csv",
        load_id,
        1,
        "2007",
        accepted + aside,
        accepted,
        **counts,
        first_year=min(good),
        last_year=max(good),
    )


@pytest.fixture
def lake(tiny_config: Config) -> Path:
    return tiny_config.lake


def with_controls(config: Config, controls: Controls) -> Config:
    return replace(config, sources={"customs": SourceSettings(("x",), controls=controls)})


def manifest_of(*loads: LoadReport) -> Manifest:
    return Manifest(
        "r", None, "now", "c", False, "f", "c", "s", loads=[asdict(load) for load in loads]
    )


def test_totals_count_rows_set_aside_too(lake: Path) -> None:
    load = delivered(lake, "a", {2007: 3, 2008: 2}, {2007: 1})
    assert year_totals(lake, [load]) == {2007: YearTotal(3, 4, 1000), 2008: YearTotal(2, 2, 500)}


def test_a_delivery_that_meets_its_control_totals_passes(lake: Path) -> None:
    outcome = SourceOutcome("customs", "loaded", (delivered(lake, "a", {2007: 3}, {2007: 1}),))
    assert missed_totals(lake, outcome, Controls((ControlTotal(2007, 4, 10.0),))) == ""


def test_a_delivery_that_misses_a_control_total_is_held_and_says_which(
    tiny_config: Config, lake: Path
) -> None:
    load = delivered(lake, "a", {2007: 3, 2008: 2})
    config = with_controls(
        tiny_config,
        Controls((ControlTotal(2007, 4), ControlTotal(2008, 2, 5.01), ControlTotal(2009, 1))),
    )
    outcome = control(config, [SourceOutcome("customs", "loaded", (load,))], None, frozenset())[0]
    assert (outcome.status, outcome.loads) == ("held", ())
    assert (
        outcome.message
        == "2007 has 3 rows, 4 by the control total; 2008 has a value of 5.00 USD, 5.01 by the"
        " control total; 2009 has 0 rows, 1 by the control total. Fetch the files again, or mend"
        " the totals in the configuration (its columns are null)"
    )


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({2007: 79, 2008: 100}, "2007 shrinks from 100 to 79 rows (-21%, more than 20%)"),
        ({2007: 100, 2008: 121}, "2008 grows from 100 to 121 rows (+21%, more than 20%)"),
        ({2007: 100}, "2008 shrinks from 100 to 0 rows (-100%, more than 20%)"),
    ],
)
def test_a_delivery_that_changes_too_much_is_held_until_confirmed(
    tiny_config: Config, lake: Path, now: dict[int, int], said: str
) -> None:
    former, new = delivered(lake, "a", {2007: 100, 2008: 100}), delivered(lake, "b", now)
    config = with_controls(tiny_config, Controls(hold_change_share=0.2))
    outcomes = [SourceOutcome("customs", "loaded", (new,))]
    held = control(config, outcomes, manifest_of(former), frozenset())[0]
    assert held.status == "held"
    assert held.loads == (former,)
    assert said in held.message
    assert "if they are right, run `citytrade refresh --confirm customs`" in held.message
    assert control(config, outcomes, manifest_of(former), frozenset({"customs"})) == outcomes


def test_a_new_year_and_a_small_change_are_not_held(tiny_config: Config, lake: Path) -> None:
    former, new = delivered(lake, "a", {2007: 100}), delivered(lake, "b", {2007: 81, 2008: 500})
    config = with_controls(tiny_config, Controls(hold_change_share=0.2))
    outcomes = [SourceOutcome("customs", "loaded", (new,))]
    assert control(config, outcomes, manifest_of(former), frozenset()) == outcomes
    assert (
        control(
            with_controls(tiny_config, Controls()),
            [SourceOutcome("customs", "loaded", (delivered(lake, "c", {2007: 1}),))],
            manifest_of(former),
            frozenset(),
        )[0].status
        == "loaded"
    )


def test_a_year_of_which_nothing_was_accepted_before_is_as_good_as_new(
    tiny_config: Config, lake: Path
) -> None:
    former, new = (
        delivered(lake, "a", {2007: 100}, {2008: 5}),
        delivered(lake, "b", {2007: 100, 2008: 5}),
    )
    config = with_controls(tiny_config, Controls(hold_change_share=0.2))
    outcomes = [SourceOutcome("customs", "loaded", (new,))]
    assert control(config, outcomes, manifest_of(former), frozenset()) == outcomes


def test_totals_mended_in_the_configuration_are_a_reason_to_refresh(
    tiny_config: Config, tmp_path: Path
) -> None:
    (tmp_path / "x").write_text("a", encoding="utf-8")
    prints = {
        find_inputs(
            replace(
                tiny_config,
                sources={"customs": SourceSettings((str(tmp_path / "x"),), controls=controls)},
            )
        ).fingerprint
        for controls in (
            Controls(),
            Controls((ControlTotal(2007, 3),)),
            Controls((ControlTotal(2007, 4),)),
            Controls(hold_change_share=0.2),
        )
    }
    assert len(prints) == 4


def test_freshness_compares_years_in_the_data_with_years_published(
    tiny_config: Config, lake: Path
) -> None:
    outcome = SourceOutcome("customs", "loaded", (delivered(lake, "a", {2007: 1}),))
    stale = tell_stale(with_controls(tiny_config, Controls(published_through=2009)), [outcome])[0]
    assert (
        stale.message
        == "its publisher has released 2009 and the data end in 2007: fetch the newer files"
    )
    assert not stale.is_trouble
    assert tell_stale(with_controls(tiny_config, Controls(published_through=2007)), [outcome]) == [
        outcome
    ]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("hold_change_share = 0", "hold_change_share = 0 is no share"),
        ("published_through = '2020'", "published_through = '2020' is no year"),
        (
            "hold_chnge_share = 0.2",
            "unknown key 'hold_chnge_share'. Did you mean 'hold_change_share'?",
        ),
        ("totals = 3", r"totals are tables. Write \[\[sources.prices.totals\]\]"),
        (
            "[[sources.prices.totals]]\nyear = 2007",
            "the total of 2007 says neither rows nor value_usd",
        ),
        ("[[sources.prices.totals]]\nyear = 2007\nvalue_usd = 3", "prices has no values in USD"),
        ("[[sources.prices.totals]]\nyear = 2007\nrows = -3", "rows = -3 is no count"),
        ("[[sources.prices.totals]]\nyear = 2007\nrow = 3", "totals have no key 'row'"),
        ("[alerts]\ncommand = 'mail'", "command must be a list of words"),
        ("[alerts]\nwebhook = 'ftp://x'", "webhook must begin with https://"),
        ("[alerts]\nservices = 'dingtalk://x'", "services must be a list of addresses"),
        ("[alerts]\nservices = ['x']", "address 1 of services names no service"),
        ("hold_change_share = 1.5", "no share between 0 and 1"),
        ("[alert]\ncommand = []", "unknown key 'alert'. Did you mean 'alerts'?"),
    ],
)
def test_controls_that_are_none_are_told(tmp_path: Path, line: str, sentence: str) -> None:
    file = tmp_path / "citytrade.toml"
    file.write_text(f'[sources.prices]\nfiles = ["x"]\n{line}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=sentence):
        load_config(file)


def test_controls_are_read_from_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYTRADE_WEBHOOK", "https://example.org/secret\n")
    file = tmp_path / "citytrade.toml"
    file.write_text(
        '[sources.customs]\nfiles = ["x"]\nhold_change_share = 0.2\npublished_through ='
        " 2016\n[[sources.customs.totals]]\nyear = 2007\nrows = 3\nvalue_usd ="
        ' 7.5\n[alerts]\ncommand = ["notify", "me"]\nwebhook = "${CITYTRADE_WEBHOOK}"\n',
        encoding="utf-8",
    )
    config = load_config(file)
    assert config.sources["customs"].controls == Controls((ControlTotal(2007, 3, 7.5),), 0.2, 2016)
    assert config.alerts == Alerts(("notify", "me"), "${CITYTRADE_WEBHOOK}")
    assert with_secrets(config) == Alerts(("notify", "me"), "https://example.org/secret")


def test_a_manifest_that_cannot_be_read_does_not_stop_a_forced_refresh(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    name = make_release()
    unseal(tiny_config.builds / name)
    (tiny_config.builds / name / MANIFEST).write_text("{", encoding="utf-8")
    said: list[str] = []
    with pytest.raises(ReleaseError, match="not a release manifest"):
        start.run(tiny_config, say=said.append)
    with pytest.raises(ReleaseError, match="names no source"):  # the next thing that is wrong here
        start.run(tiny_config, force=True, say=said.append)
    assert any("not a release manifest" in line and line.startswith("warning: ") for line in said)
    assert prune_lake_to_releases(tiny_config).startswith(
        "warning: nothing was removed from the lake: "
    )


def test_prefect_stores_nothing_of_the_configuration(tiny_config: Config) -> None:
    from flows.refresh.flow import Refresh, refresh

    run = Refresh(
        replace(tiny_config, alerts=Alerts(webhook="https://example.org/token-of-mine")),
        manifest_of(),
        print,
    )
    assert refresh.serialize_parameters({"run": run}) == {"run": "<Refresh>"}


def test_a_refresh_does_not_take_an_altered_release_for_unchanged(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    name = make_release()
    former = replace(manifest_of(), release=name)
    said: list[str] = []
    assert not start._altered(tiny_config, former, said.append)
    unseal(tiny_config.builds / name)
    (tiny_config.builds / name / "more").write_bytes(b"x")
    assert start._altered(tiny_config, former, said.append)
    assert said == [
        f"warning: release {name} was changed after its publication (more was added): it is built"
        " again."
    ]
