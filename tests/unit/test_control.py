"""Control totals, deliveries that shrink or grow, freshness, and alerts."""

from __future__ import annotations

import http.server
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
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
from flows.schedule.seals import look_at_seals
from flows.schedule.serve import serve
from flows.telling import alerts
from flows.telling.alerts import alert, tell_trouble
from tests.conftest import MakeRelease, unseal
from warehouse import panels
from warehouse.errors import ConfigError, ReleaseError
from warehouse.lake.loads import LoadReport, load_folder, sql_text
from warehouse.lake.schema import SET_ASIDE, as_select, stored
from warehouse.releases import publish
from warehouse.releases.publish import MANIFEST, Manifest
from warehouse.releases.seal import remove_tree
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


def test_a_secret_is_needed_only_by_what_sends_alerts(
    tmp_path: Path, make_release: MakeRelease
) -> None:
    file = tmp_path / "citytrade.toml"
    make_release()
    file.write_text(
        f"{file.read_text(encoding='utf-8')}[alerts]\nwebhook = '${{CITYTRADE_NO_SUCH}}'\n",
        encoding="utf-8",
    )
    config = load_config(file)
    assert len(panels(config)) == 1
    with pytest.raises(ConfigError, match="the variable CITYTRADE_NO_SUCH is not set"):
        start.run(config, say=lambda _: None)


def test_a_command_is_run_only_from_a_configuration_that_somebody_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever puts a citytrade.toml into a folder runs what he likes as the one who works
    there.
    """
    ran = tmp_path / "ran"
    (tmp_path / "citytrade.toml").write_text(
        f"[alerts]\ncommand = ['touch', '{ran}']\n", encoding="utf-8"
    )
    monkeypatch.delenv("CITYTRADE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    assert not alert(load_config(), "Trouble.", [], said.append)
    assert not ran.exists()
    assert "was found, not named: name it with --config" in said[0]
    with pytest.raises(ConfigError, match="this file was found, not named"):
        serve(load_config(), "0 6 * * 1", "UTC", 4200, said.append)
    assert alert(load_config("citytrade.toml"), "Trouble.", [], said.append)
    assert ran.exists()


def test_a_trouble_is_told_once_and_once_when_it_is_over(tiny_config: Config, address: str) -> None:
    tiny_config.home.mkdir()
    config = replace(tiny_config, alerts=Alerts(webhook=address))
    said: list[str] = []
    for troubles in (["a failed"], ["a failed"], ["a failed", "b failed"], ["b failed"], [], []):
        tell_trouble(config, "refresh", "Trouble.", troubles, said.append)
    tell_trouble(config, "seals", "Changed.", ["r"], said.append)
    assert [(body["subject"], body["troubles"]) for body in Sink.got] == [
        ("Trouble.", ["a failed"]), ("Trouble.", ["a failed", "b failed"]), ("The trouble is over.",
        []), ("Changed.", ["r"]),
    ]  # fmt: skip
    assert said.count("Somebody was alerted of this before; nobody is alerted again.") == 2


def test_an_alert_that_reached_nobody_is_tried_again(tiny_config: Config, address: str) -> None:
    tiny_config.home.mkdir()
    away = replace(tiny_config, alerts=Alerts(webhook="http://127.0.0.1:9/x"))
    tell_trouble(away, "refresh", "Trouble.", ["a failed"], lambda _: None)
    tell_trouble(
        replace(tiny_config, alerts=Alerts(webhook=address)),
        "refresh",
        "Trouble.",
        ["a failed"],
        lambda _: None,
    )
    assert len(Sink.got) == 1


def test_a_server_that_drips_bytes_holds_nobody_up(
    tiny_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "SECONDS", 6)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                while not over.wait(0.2):
                    try:
                        connection.send(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        said: list[str] = []
        start_time = time.monotonic()
        alert(
            replace(
                tiny_config,
                alerts=Alerts(webhook=f"http://127.0.0.1:{listener.getsockname()[1]}/x"),
            ),
            "Trouble.",
            [],
            said.append,
        )
        took = time.monotonic() - start_time
        over.set()
        thread.join(timeout=10)
    assert took < 6 + 5
    assert said[0].startswith(
        "warning: the alert's webhook failed (it did not take the message within 6 s)"
    )


def test_chat_services_are_told_by_apprise(tiny_config: Config, address: str) -> None:
    """apprise posts JSON to any address of its own kind; the services of chat are addresses of
    other kinds.
    """
    service = address.replace("http://", "json://")
    said: list[str] = []
    assert alert(
        replace(tiny_config, alerts=Alerts(services=(service, "nosuch://token-of-mine"))),
        "Trouble.",
        ["杭州"],
        said.append,
    )
    assert Sink.got[0]["message"] == "杭州"
    assert said[0] == "Alert sent by service json."
    assert "token-of-mine" not in "".join(said)


class Sink(http.server.BaseHTTPRequestHandler):
    answer, got = 200, list[dict[str, object]]()

    def do_POST(self) -> None:
        Sink.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(Sink.answer)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    Sink.answer, Sink.got = 200, []
    with http.server.HTTPServer(("127.0.0.1", 0), Sink) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/token-of-mine"
        server.shutdown()


def test_a_command_and_a_web_address_get_the_alert(
    tiny_config: Config, tmp_path: Path, address: str
) -> None:
    file = tmp_path / "got.json"
    command = (
        sys.executable,
        "-c",
        "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())",
        str(file),
    )
    said: list[str] = []
    alert(
        replace(tiny_config, alerts=Alerts(command, address)),
        "Trouble.",
        ["customs failed: 杭州"],
        said.append,
    )
    body = json.loads(file.read_text(encoding="utf-8"))
    assert (body["subject"], body["troubles"], body["text"]) == (
        "Trouble.",
        ["customs failed: 杭州"],
        "Trouble.\ncustoms failed: 杭州",
    )
    assert Sink.got == [body]
    assert said == ["Alert sent by command.", "Alert sent by webhook."]


@pytest.mark.parametrize("answer", [500, 302, None])
def test_an_alert_that_cannot_be_sent_is_said_without_its_address(
    tiny_config: Config, address: str, answer: int | None
) -> None:
    if answer is None:
        address = "http://127.0.0.1:9/token-of-mine"
    else:
        Sink.answer = answer
    said: list[str] = []
    alert(
        replace(tiny_config, alerts=Alerts(("no-such-program-anywhere",), address)),
        "Trouble.",
        [],
        said.append,
    )
    assert len(said) == 2
    assert all(line.startswith("warning: the alert's ") for line in said)
    assert "token-of-mine" not in "".join(said)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/token of-mine",
        "http://127.0.0.1:port/token-of-mine",
        "http://[token-of-mine",
    ],
)
def test_an_address_that_is_none_stops_nothing_and_is_not_shown(
    tiny_config: Config, address: str
) -> None:
    said: list[str] = []
    alert(replace(tiny_config, alerts=Alerts(webhook=address)), "Trouble.", [], said.append)
    assert len(said) == 1
    assert said[0].startswith("warning: the alert's webhook failed (")
    assert "of-mine" not in said[0]


@pytest.mark.parametrize(
    "error",
    [PermissionError(1, "Operation not permitted"), duckdb.FatalException("Could not write file")],
)
def test_a_failure_after_publication_is_a_sentence_and_says_so(
    tiny_config: Config,
    tmp_path: Path,
    make_release: MakeRelease,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    file = tmp_path / "got.json"
    command = (
        sys.executable,
        "-c",
        "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())",
        str(file),
    )

    def publish_and_fail(*_: object) -> None:
        make_release()
        raise error

    monkeypatch.setattr(start, "_refresh", publish_and_fail)
    with pytest.raises(
        ReleaseError,
        match=(
            r"The refresh stopped \(.*(not permitted|not write file)\); it had published release 20"
        ),
    ):
        start.run(replace(tiny_config, alerts=Alerts(command)), say=lambda _: None)
    assert "it had published release 20" in json.loads(file.read_text(encoding="utf-8"))["subject"]


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


def test_a_refresh_that_publishes_nothing_alerts(tiny_config: Config, tmp_path: Path) -> None:
    file = tmp_path / "got.json"
    command = (
        sys.executable,
        "-c",
        "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())",
        str(file),
    )
    config = replace(tiny_config, alerts=Alerts(command))
    with pytest.raises(Exception, match="names no source"):
        start.run(config, say=lambda _: None)
    body = json.loads(file.read_text(encoding="utf-8"))
    assert body["subject"] == "The refresh failed; readers keep the former release."
    assert "names no source" in body["troubles"][0]


def test_the_daily_look_at_the_seals_tells_a_change_once(
    tiny_config: Config, make_release: MakeRelease, address: str
) -> None:
    name = make_release()
    config = replace(tiny_config, alerts=Alerts(webhook=address))
    said: list[str] = []
    assert look_at_seals(config, said.append) == []
    assert said == []
    manifest = config.builds / name / MANIFEST
    unseal(manifest.parent)
    manifest.write_bytes(manifest.read_bytes().replace(b'"config"', b'"confog"'))
    for _ in range(2):
        assert look_at_seals(config, said.append) == [
            f"release {name} was changed after its publication: {MANIFEST} was changed"
        ]
    assert [body["subject"] for body in Sink.got] == ["A published release was changed."]


def test_a_release_that_is_removed_during_the_look_raises_no_alarm(
    tiny_config: Config, make_release: MakeRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = make_release()
    look = publish.broken_seals

    def remove_and_look(folder: Path) -> list[str]:
        remove_tree(folder)
        return look(folder)

    monkeypatch.setattr(publish, "broken_seals", remove_and_look)
    assert look_at_seals(tiny_config, print) == []
    assert not (tiny_config.builds / name).exists()


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
