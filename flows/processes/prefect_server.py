"""Prefect's settings and its local server: no telemetry, no network beyond this machine, everything
in the home.
"""

from __future__ import annotations

import base64
import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flows.processes import server_database, supervised
from flows.processes.guarded_server import PORT_VARIABLE
from warehouse.errors import CitytradeError

SECRET = "secret"
APP = "flows.processes.guarded_server:create_app"
STARTUP_SECONDS = 600
TELL_EVERY_SECONDS = 15
# Chores of a server that schedules; a refresh at hand needs none of them, and the server starts
# faster.
CHORES = (
    "SCHEDULER",
    "LATE_RUNS",
    "CANCELLATION_CLEANUP",
    "FOREMAN",
    "PAUSE_EXPIRATIONS",
    "TRIGGERS",
    "EVENT_PERSISTER",
)


def quiet(home: Path) -> None:
    """Set Prefect's environment; must come before Prefect is imported. What the user has
    set stays.
    """
    folder = home / "prefect"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
    for name, value in {
        "PREFECT_HOME": str(folder),
        # What flows and tasks log goes to the server, beside their runs, and not to the terminal.
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_LOGGERS_PREFECT_FLOW_RUNS_LEVEL": "INFO",
        "PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL": "INFO",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_CLI_PROMPT": "false",
    }.items():
        os.environ.setdefault(name, value)
    for name in ("NO_PROXY", "no_proxy"):  # a proxy cannot reach this machine's own address
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))


@dataclass(frozen=True)
class Server:
    """A Prefect server: the address of its API, and its process, log and secret if it was started
    here.
    """

    api: str
    process: subprocess.Popen[bytes] | None = None
    log: Path | None = None
    secret: str = field(default="", repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to be let in."""
        return {
            "PREFECT_API_URL": self.api,
            **({"PREFECT_API_AUTH_STRING": self.secret} if self.secret else {}),
        }

    @property
    def secret_file(self) -> Path | None:
        return self.log.with_name(SECRET) if self.log is not None else None

    def wait(
        self, say: Callable[[str], None] = lambda _: None, seconds: float = STARTUP_SECONDS
    ) -> None:
        """Wait until the server answers; on a busy machine that may take minutes, and is said.

        One that was started here must know its secret: whatever else has its port is another.

        Raises
        ------
        CitytradeError : it does not within the given seconds, or it has ended.
        """
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        question = self._question()
        start = told = time.monotonic()
        while time.monotonic() < start + seconds and not self._has_ended():
            try:
                with opener.open(question, timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
            if time.monotonic() > told + TELL_EVERY_SECONDS:
                told = time.monotonic()
                say(
                    f"Prefect's server is still starting after {told - start:.0f} s; it is waited"
                    " for."
                )
        what = (
            "ended while starting"
            if self._has_ended()
            else f"did not answer within {seconds:.0f} s"
        )
        said = f" It said: {self._last_words()}" if self.log else ""
        raise CitytradeError(
            f"Prefect's server at {self.api} {what}.{said} See that nothing else uses its port and"
            " no firewall blocks 127.0.0.1, or start a server (`prefect server start`), set"
            " PREFECT_API_URL, and try again."
        )

    def stop(self) -> None:
        """End the server, if it was started here, within seconds."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _question(self) -> urllib.request.Request:
        """What shows that the server is there; its health is told to anybody, its version to who
        knows the secret.
        """
        if not self.secret:
            return urllib.request.Request(f"{self.api}/health")
        told = base64.b64encode(self.secret.encode()).decode()
        return urllib.request.Request(
            f"{self.api}/admin/version", headers={"Authorization": f"Basic {told}"}
        )

    def _has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def _last_words(self) -> str:
        assert self.log is not None
        lines = [
            line
            for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            if line.strip()
        ]
        return lines[-1].strip() if lines else "nothing."


@contextmanager
def server(home: Path, port: int | None = None, keeps_schedules: bool = False) -> Iterator[Server]:
    """A Prefect server on 127.0.0.1 for as long as needed, unless PREFECT_API_URL names one.

    The server's process ends with this one, also when this one is killed. It is only started here,
    so that the caller can import Prefect meanwhile; `Server.wait` awaits it. The secret and the log
    of the one that keeps schedules are its own: a refresh at hand keeps its secret in memory.

    Raises
    ------
    CitytradeError : another program has the port; nothing in the home is touched then.
    """
    if os.environ.get("PREFECT_API_URL"):
        yield Server(os.environ["PREFECT_API_URL"])
        return
    if port:
        _refuse_taken(port)
    port, secret = port or _free_port(), f"citytrade:{secrets.token_urlsafe(32)}"
    if keeps_schedules:
        _keep(secret, home / "prefect" / SECRET)
    if "PREFECT_HOME" in os.environ:
        server_database.begin(Path(os.environ["PREFECT_HOME"]))
    address = f"http://127.0.0.1:{port}"
    log = home / "prefect" / ("server.log" if keeps_schedules else "refresh-server.log")
    with log.open("wb") as sink:
        process = subprocess.Popen(
            supervised.command(
                "uvicorn:main",
                "--factory",
                APP,
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
                "--log-level",
                "error",
            ),
            env={**supervised.environment(), **_server_settings(port, secret, keeps_schedules)},
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    started = Server(f"{address}/api", process, log, secret)
    try:
        yield started
    finally:
        started.stop()


def _server_settings(port: int, secret: str, keeps_schedules: bool) -> dict[str, str]:
    address = f"http://127.0.0.1:{port}"
    guarded = {
        PORT_VARIABLE: str(port), "PREFECT_SERVER_API_AUTH_STRING": secret,
        "PREFECT_API_AUTH_STRING": secret,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": address,
    }  # fmt: skip
    if keeps_schedules:
        return {**guarded, "PREFECT_UI_API_URL": f"{address}/api"}
    return {
        **guarded,
        "PREFECT_SERVER_UI_ENABLED": "false",
        **{f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in CHORES},
    }


def _keep(secret: str, file: Path) -> None:
    """Leave the secret where its owner, and nobody else, can read it."""
    file.unlink(missing_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, f"{secret}\n".encode())
    finally:
        os.close(handle)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself does
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CitytradeError(
                f"Port {port} of 127.0.0.1 cannot be opened ({error.strerror}): another program"
                " has it, or it is not yours to open. End that program, or choose another port"
                " with --port."
            ) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
