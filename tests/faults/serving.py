"""`citytrade serve` as a process of its own, for tests that let it fire, disturb it or end it."""

from __future__ import annotations

import base64
import http
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.processes import prefect_server
from tests.conftest import PATIENCE_SECONDS, PROJECT, environment
from warehouse.settings.config import Config

DEPLOYMENT = "/api/deployments/name/scheduled-refresh/citytrade-refresh"
BUSY = 120.0  # seconds for which a server may be too busy to take a run
ENDED = frozenset(("COMPLETED", "FAILED", "CRASHED", "CANCELLED"))


def serving_command(config: Config, port: int, cron: str) -> list[str]:
    """The command line that serves a configuration."""
    start = [sys.executable, "-m", "flows.cli", "serve", "--cron", cron]
    return [*start, "--port", str(port), "--config", str(config.path)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(
    config: Config, log: Path, port: int, cron: str = "* * * * *"
) -> Iterator[subprocess.Popen[bytes]]:
    """A service that writes to a log, terminated at the end."""
    with log.open("w", encoding="utf-8") as sink:
        process = subprocess.Popen(
            serving_command(config, port, cron),
            cwd=PROJECT,
            env=environment(),
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=60)
            finally:
                process.kill()


def wait_until_said(log: Path, words: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a log has these words.

    Raises
    ------
    AssertionError : its process ended before that.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (
        words not in log.read_text(encoding="utf-8")
        and process.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.5)
    assert words in log.read_text(encoding="utf-8"), log.read_text(encoding="utf-8")


def asked(
    port: int, method: str, path: str, headers: dict[str, str], body: object = None
) -> tuple[int, Any]:
    """The status that a server answers with, and what it says (null where that is no JSON)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    content = json.dumps(body) if body is not None else None
    sent = {"Content-Type": "application/json", **headers}
    connection.request(method, path, body=content, headers=sent)
    answer = connection.getresponse()
    text = answer.read()
    try:
        return answer.status, json.loads(text)
    except ValueError:
        return answer.status, None


class Deployment:
    """The served refresh, as somebody who knows the secret sees it."""

    def __init__(self, config: Config, port: int) -> None:
        secret = (config.home / "prefect" / prefect_server.SECRET).read_text(encoding="utf-8")
        told = base64.b64encode(secret.strip().encode()).decode()
        self._port, self._headers = port, {"Authorization": f"Basic {told}"}
        status, found = asked(port, "GET", DEPLOYMENT, self._headers)
        assert status == 200, found
        self._id = found["id"]

    def fire(self) -> str:
        """Start a run; its name in the server. One that is too busy is asked again, as Prefect's
        own client does.
        """
        path, deadline = f"/api/deployments/{self._id}/create_flow_run", time.monotonic() + BUSY
        status, run = asked(self._port, "POST", path, self._headers, {})
        while status == http.HTTPStatus.SERVICE_UNAVAILABLE and time.monotonic() < deadline:
            time.sleep(1.0)
            status, run = asked(self._port, "POST", path, self._headers, {})
        assert status in (200, 201), run
        return str(run["id"])

    def ended(self, run: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Wait for a run's end; its last state.

        Raises
        ------
        TimeoutError : the server knows of no end.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            _, found = asked(self._port, "GET", f"/api/flow_runs/{run}", self._headers)
            if found and found.get("state_type") in ENDED:
                return str(found["state_type"])
            time.sleep(0.5)
        raise TimeoutError(f"run {run} did not end")


def left_of(config: Config) -> list[str]:
    """Command lines of processes that work in this home."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            inside = str(config.home).encode() in (entry / "environ").read_bytes()
        except OSError:
            continue  # it has just ended, or is another user's
        if (inside or str(config.home) in line) and entry.name != str(os.getpid()):
            found.append(line)
    return found
