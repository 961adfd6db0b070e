"""A refresh as a process of its own, for tests that watch it, disturb it or kill it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import PATIENCE_SECONDS, PROJECT, environment
from warehouse.settings.config import Config


class Refreshing:
    """A refresh under way, and what it has said so far."""

    def __init__(self, config: Config, *arguments: str, settings: Mapping[str, str] = {}) -> None:
        self.config, self.lines = config, list[str]()
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "refresh", *arguments, "--config", config.path],
            cwd=PROJECT,
            env={**environment(), **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def has_said(self, words: str) -> bool:
        """Whether a line begins with these words."""
        return any(line.startswith(words) for line in self.lines)

    def wait_until(self, holds: Callable[[], bool], every: float = 0.05) -> bool:
        """Look every so many seconds until something holds; False if the refresh ended before."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            if self.is_over:
                return holds()
            assert time.monotonic() < deadline, self.said
            time.sleep(every)
        return True

    def finish(self) -> int:
        """Wait for its end; its exit code."""
        code = self.process.wait(timeout=PATIENCE_SECONDS)
        self._listener.join(timeout=60)
        return code

    def kill(self) -> None:
        self.process.kill()
        self.finish()

    @property
    def supervised(self) -> list[str]:
        """Command lines of the living processes that it has started: Prefect's server, dbt."""
        return processes_with(f"flows.processes.supervised {self.process.pid} ")

    def leaves_no_process(self, seconds: float = 60) -> bool:
        """Whether all that it has started end by themselves within so many seconds."""
        deadline = time.monotonic() + seconds
        while self.supervised and time.monotonic() < deadline:
            time.sleep(0.1)
        return not self.supervised


@contextmanager
def refreshing(
    config: Config, *arguments: str, settings: Mapping[str, str] = {}
) -> Iterator[Refreshing]:
    """A refresh under way, killed at the end if it has not ended by itself."""
    running = Refreshing(config, *arguments, settings=settings)
    try:
        yield running
    finally:
        running.kill()


def processes_with(words: str) -> list[str]:
    """Command lines, of processes other than this one, in which these words stand."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (
                    (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
            except OSError:
                continue  # it has just ended
            if words in line:
                found.append(line)
    return found
