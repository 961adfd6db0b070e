"""Alerts: who is told, once, and what nobody may read in them."""

from __future__ import annotations

import errno
import http.server
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from flows.refresh import start
from flows.schedule.seals import look_at_seals
from flows.schedule.serve import serve
from flows.telling import alerts
from flows.telling.alerts import alert, tell_trouble
from tests.conftest import MakeRelease, unseal
from warehouse import panels
from warehouse.errors import ConfigError, ReleaseError
from warehouse.releases import publish
from warehouse.releases.publish import MANIFEST
from warehouse.releases.seal import remove_tree
from warehouse.settings.config import Config, load_config
from warehouse.settings.controls import Alerts


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


def test_a_full_disk_is_told_once_and_once_when_it_is_over(
    tiny_config: Config, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told is written over the room that its file took when the disk had some."""
    tiny_config.home.mkdir()
    config = replace(tiny_config, alerts=Alerts(webhook=address))
    tell_trouble(config, "refresh", "Trouble.", [], lambda _: None)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    said: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(alerts.os, "replace", full)
        for troubles in (["the disk is full"], ["the disk is full"]):
            tell_trouble(config, "refresh", "Trouble.", troubles, said.append)
    tell_trouble(config, "refresh", "Trouble.", [], said.append)
    assert [body["subject"] for body in Sink.got] == ["Trouble.", "The trouble is over."]
    assert not [line for line in said if line.startswith("warning")]
    assert [file.name for file in tiny_config.home.iterdir()] == ["alerts.json"]


@pytest.mark.parametrize(
    ("first", "again", "another"),
    [
        (
            "dbt stopped:\n  137 of 412 ERROR unique_grain_a_ [ERROR in 0.05s]",
            "dbt stopped:\n  139 of 412 ERROR unique_grain_a_ [ERROR in 1.35s]",
            "dbt stopped:\n  139 of 412 ERROR unique_grain_b_ [ERROR in 1.35s]",
        ),
        (
            "dbt stopped:\n  OSError: [Errno 28] No space left on device",
            "/home: the home cannot be written to (No space left on device).",
            "/home: the home cannot be written to (Read-only file system).",
        ),
        ("a.csv of 2010 failed", "a.csv of 2010 failed", "a.csv of 2011 failed"),
    ],
)
def test_one_trouble_in_other_words_is_told_once(
    tiny_config: Config, address: str, first: str, again: str, another: str
) -> None:
    tiny_config.home.mkdir()
    config = replace(tiny_config, alerts=Alerts(webhook=address))
    for trouble in (first, again, another):
        tell_trouble(config, "refresh", "Trouble.", [trouble], lambda _: None)
    assert [body["troubles"] for body in Sink.got] == [[first], [another]]


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
    assert took < 6 + 30  # a server that drips holds an alert without a limit for ever
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


def test_a_home_that_cannot_be_written_to_alerts(
    tiny_config: Config, tmp_path: Path, address: str
) -> None:
    """Nothing can be written down there either, and nobody looks at a schedule's terminal."""
    (tmp_path / "full").write_text("a file where the home should be", encoding="utf-8")
    for home in (tmp_path / "full", tmp_path / "full" / "home"):
        Sink.got.clear()
        config = replace(tiny_config, home=home, alerts=Alerts(webhook=address))
        with pytest.raises(ReleaseError, match="the home cannot be written to"):
            start.run(config, say=lambda _: None)
        (body,) = Sink.got
        assert body["subject"] == "The refresh did not begin."
        assert "the home cannot be written to" in body["troubles"][0]


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
