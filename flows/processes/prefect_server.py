"""Prefect's settings and its local server: no telemetry, no network beyond this machine, everything in the home."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.processes import supervised
from warehouse.errors import CitytradeError

APP = "prefect.server.api.server:create_app"
STARTUP_SECONDS = 90
# Chores of a server that schedules; a refresh at hand needs none of them, and the server starts faster.
CHORES = ("SCHEDULER", "LATE_RUNS", "CANCELLATION_CLEANUP", "FOREMAN", "PAUSE_EXPIRATIONS", "TRIGGERS", "TASK_RUN_RECORDER", "EVENT_PERSISTER")


def quiet(home: Path) -> None:
    """Set Prefect's environment; must come before Prefect is imported. What the user has set stays."""
    folder = home / "prefect"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
    for name, value in {
        "PREFECT_HOME": str(folder),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_CLI_PROMPT": "false",
    }.items():
        os.environ.setdefault(name, value)
    for name in ("NO_PROXY", "no_proxy"):  # a proxy cannot reach this machine's own address
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))


@dataclass(frozen=True)
class Server:
    """A Prefect server: the address of its API, and its process and log if it was started here."""

    api: str
    process: subprocess.Popen[bytes] | None = None
    log: Path | None = None

    def wait(self, seconds: float = STARTUP_SECONDS) -> None:
        """Wait until the server answers.

        Raises
        ------
        CitytradeError : it does not within the given seconds, or it has ended.
        """
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._has_ended():
            try:
                with opener.open(f"{self.api}/health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        what = "ended while starting" if self._has_ended() else f"did not answer within {seconds:.0f} s"
        told = f" It said: {self._last_words()}" if self.log else ""
        raise CitytradeError(
            f"Prefect's server at {self.api} {what}.{told} See that nothing else uses its port and no firewall blocks 127.0.0.1, "
            "or start a server (`prefect server start`), set PREFECT_API_URL, and try again."
        )

    def _has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def _last_words(self) -> str:
        assert self.log is not None
        lines = [line for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else "nothing."


@contextmanager
def server(home: Path, port: int | None = None, keeps_schedules: bool = False) -> Iterator[Server]:
    """A Prefect server on 127.0.0.1 for as long as needed, unless PREFECT_API_URL names one.

    The server's process ends with this one, also when this one is killed. It is only started here, so that the caller
    can import Prefect meanwhile; `Server.wait` awaits it.
    """
    if os.environ.get("PREFECT_API_URL"):
        yield Server(os.environ["PREFECT_API_URL"])
        return
    port = port or _free_port()
    address = f"http://127.0.0.1:{port}"
    log = home / "prefect" / "server.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            supervised.command("uvicorn:main", "--factory", APP, "--host", "127.0.0.1", "--port", str(port), "--log-level", "error"),
            env={**supervised.environment(), **_server_settings(address, keeps_schedules)},
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Server(f"{address}/api", process, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _server_settings(address: str, keeps_schedules: bool) -> dict[str, str]:
    if keeps_schedules:
        return {"PREFECT_UI_API_URL": f"{address}/api"}
    return {"PREFECT_SERVER_UI_ENABLED": "false", **{f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in CHORES}}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
