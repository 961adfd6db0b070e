"""The schedule: when it fires, who is let in, what its runs show, and how it ends."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from flows.processes import lock, prefect_server
from flows.processes.guarded_server import Guard
from flows.schedule.cron import next_times
from tests.conftest import PATIENCE_SECONDS, PROJECT, environment, write_config
from tests.faults.serving import (
    DEPLOYMENT,
    asked,
    free_port,
    left_of,
    served,
    serving_command,
    wait_until_said,
)
from warehouse import connect
from warehouse.errors import CitytradeError
from warehouse.releases.publish import current_release
from warehouse.settings.config import Config, load_config

NOW = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "timezone", "sentence"),
    [
        ("0 6 * *", "UTC", "it has 4 fields"),
        ("0 0 6 * * 1", "UTC", "it has 6 fields"),
        ("@daily", "UTC", "it has 1 fields"),
        ("0 0 31 2 *", "UTC", "ever fires"),
        ("0 0 30 2 *", "UTC", "ever fires"),
        ("61 * * * *", "UTC", "ever fires"),
        ("0 6 * * 1", "Asia/Shangai", "'Asia/Shangai' is no time zone"),
        ("0 6 * * 1", "../../etc/passwd", "is no time zone"),
    ],
)
def test_a_line_that_never_fires_is_refused(cron: str, timezone: str, sentence: str) -> None:
    with pytest.raises(CitytradeError, match=sentence):
        next_times(cron, timezone, NOW)


def test_the_next_times_are_those_of_the_time_zone() -> None:
    times = [f"{time:%m-%d %H:%M %z}" for time in next_times("0 6 * * 1", "Asia/Shanghai", NOW)]
    assert times == [
        "12-07 06:00 +0800",
        "12-14 06:00 +0800",
        "12-21 06:00 +0800",
    ]  # there it is Monday, 07:30


async def _passes(kind: str, headers: list[tuple[bytes, bytes]]) -> bool:
    seen: list[str] = []

    async def app(*_: object) -> None:
        seen.append("let in")

    async def send(message: object) -> None:
        seen.append(str(message))

    await Guard(app, 4200)({"type": kind, "headers": headers}, None, send)  # type: ignore[arg-type]
    return seen == ["let in"]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ([(b"host", b"127.0.0.1:4200")], True),
        ([(b"host", b"localhost:4200"), (b"origin", b"http://localhost:4200")], True),
        ([(b"host", b"evil.example:4200")], False),
        ([(b"host", b"127.0.0.1:80")], False),
        ([], False),
        ([(b"host", b"127.0.0.1:4200"), (b"host", b"evil.example")], False),
        ([(b"host", b"127.0.0.1:4200"), (b"origin", b"http://evil.example")], False),
        ([(b"host", b"127.0.0.1:4200"), (b"Origin", b"null")], False),
        ([(b"host", b"127.0.0.1:4200"), (b"origin", b"http://127.0.0.1:8080")], False),
    ],
)
def test_another_host_and_another_origin_are_refused(
    kind: str, headers: list[tuple[bytes, bytes]], passes: bool
) -> None:
    assert asyncio.run(_passes(kind, headers)) == passes


@pytest.fixture
def broken(small_release: Config, tmp_path: Path) -> Config:
    """A copy of the small release whose exchange rates were cut off since, with somebody
    to alert.
    """
    for name in ("world", "home"):
        shutil.copytree(small_release.home.parent / name, tmp_path / name, symlinks=True)
    file = write_config(tmp_path / "citytrade.toml", tmp_path / "world", simulate=False)
    command = [
        sys.executable,
        "-c",
        "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())",
        str(tmp_path / "alert.json"),
    ]
    file.write_text(
        f"{file.read_text(encoding='utf-8')}\n[alerts]\ncommand = {json.dumps(command)}\n",
        encoding="utf-8",
    )
    config = load_config(file)
    rates = next((tmp_path / "world" / "prices").glob("*.xlsx"))
    rates.write_bytes(rates.read_bytes()[:1000])
    return config


def test_a_served_refresh_fires_publishes_the_rest_and_alerts_and_is_not_green(
    broken: Config, tmp_path: Path
) -> None:
    old = current_release(broken.home)
    log = tmp_path / "serve.log"
    port = free_port()
    with served(broken, log, port) as process:
        wait_until_said(log, "Stop with Ctrl-C.", process)
        # The attack: start a run of a configuration of one's own, whose [alerts] command is then
        # run.
        attack = {"parameters": {"config_path": str(tmp_path / "evil.toml")}}
        evil = {"Origin": "http://evil.example"}
        assert asked(port, "GET", DEPLOYMENT, {})[0] == 401, "nobody without the secret"
        assert asked(port, "POST", "/api/flow_runs/", evil, attack)[0] == 403
        assert asked(port, "GET", DEPLOYMENT, {"Host": f"evil.example:{port}"})[0] == 403
        secret = broken.home / "prefect" / prefect_server.SECRET
        assert secret.stat().st_mode & 0o077 == 0
        _a_second_service_is_refused(broken, port)
        wait_until_said(log, "Alert sent by command.", process)
        end = time.monotonic() + 60
        while lock.state(broken.home) is not None and time.monotonic() < end:
            time.sleep(0.2)
        time.sleep(3)  # the run's last state is on its way
    said = log.read_text(encoding="utf-8")
    assert "Refreshing citytrade.toml at '* * * * *' (UTC); next: " in said
    alert = json.loads((tmp_path / "alert.json").read_text(encoding="utf-8"))
    assert alert["subject"] == "The refresh published without 1 of its sources' new data."
    assert alert["troubles"][0].startswith("prices failed: ")
    assert current_release(broken.home) != old
    with connect(broken) as connection:
        assert connection.execute(
            "select source from meta.sources where status <> 'loaded'"
        ).fetchall() == [("prices",)]
    with sqlite3.connect(broken.home / "prefect" / "prefect.db") as database:
        assert (
            database.execute("select parameter_openapi_schema from deployment")
            .fetchone()[0]
            .count('"properties": {}')
            == 1
        )
        states = dict(database.execute("select name, state_type from task_run").fetchall())
        assert {name for name, state in states.items() if state != "COMPLETED"} == {
            "read prices",
            "refresh-0",
        }  # the source's task, and the refresh
        flows = (
            "select flow.name, state_type from flow_run join flow on flow.id = flow_id where "
            "state_type in ('FAILED', 'COMPLETED')"
        )
        assert set(database.execute(flows).fetchall()) >= {
            ("refresh", "FAILED"),
            ("scheduled-refresh", "FAILED"),
        }
        assert (
            database.execute(
                "select count(*) from log where level = 40 and message like '%is cut off or "
                "not a workbook%'"
            ).fetchone()[0]
            > 0
        )


def _a_second_service_is_refused(config: Config, port: int) -> None:
    """At the same port and at another: what the first has in its home stays."""
    kept = (config.home / "prefect" / prefect_server.SECRET).read_text(encoding="utf-8")
    for other in (port, free_port()):
        done = subprocess.run(
            serving_command(config, other, "* * * * *"),
            cwd=PROJECT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 1
        assert "is served already, by another `citytrade serve`" in done.stderr
        assert "Traceback" not in done.stderr
    assert (config.home / "prefect" / prefect_server.SECRET).read_text(encoding="utf-8") == kept


def test_a_port_that_another_program_has_is_refused_and_nothing_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (tmp_path / "prefect").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(CitytradeError, match=rf"Port {port} of 127\.0\.0\.1 cannot be opened"),
            prefect_server.server(tmp_path, port, keeps_schedules=True),
        ):
            pass
    assert [*(tmp_path / "prefect").iterdir()] == []


class Healthy(BaseHTTPRequestHandler):
    """Another server of Prefect's: its health is told to anybody, the rest to who knows its
    secret.
    """

    def do_GET(self) -> None:
        self.send_response(200 if self.path.endswith("/health") else 401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_server_that_does_not_know_our_secret_is_not_taken_for_ours() -> None:
    with HTTPServer(("127.0.0.1", 0), Healthy) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        api = f"http://127.0.0.1:{other.server_port}/api"
        prefect_server.Server(api).wait(seconds=10)  # named by the user, who has its secret
        with pytest.raises(CitytradeError, match="did not answer within 1 s"):
            prefect_server.Server(api, secret="ours").wait(seconds=1)
        other.shutdown()


def test_a_refresh_at_hand_leaves_the_secret_and_the_log_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    folder = tmp_path / "prefect"
    folder.mkdir()
    (folder / prefect_server.SECRET).write_text("of the service", encoding="utf-8")
    (folder / "server.log").write_text("of the service", encoding="utf-8")
    with prefect_server.server(tmp_path) as started:
        assert "PREFECT_API_AUTH_STRING" in started.environment
    assert {file.name: file.read_text(encoding="utf-8") for file in folder.glob("se*")} == {
        prefect_server.SECRET: "of the service",
        "server.log": "of the service",
    }
    assert (folder / "refresh-server.log").is_file()


def test_a_service_that_is_terminated_in_the_middle_ends_everything_in_seconds(
    broken: Config, tmp_path: Path
) -> None:
    old, log, port = current_release(broken.home), tmp_path / "serve.log", free_port()
    with served(broken, log, port) as process:
        wait_until_said(log, "Building models", process)
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        while lock.state(broken.home) is not None or left_of(broken):
            assert time.monotonic() - start < 60, left_of(broken)
            time.sleep(0.1)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert current_release(broken.home) == old
    assert "what was published stays" in log.read_text(encoding="utf-8")
