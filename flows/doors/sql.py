"""`citytrade sql`: reading statements on a release, each within limits of time and memory that
hold.
"""

from __future__ import annotations

import codecs
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, TextIO, cast

from flows.doors.answering import BROKEN, BYTES, DONE, HEAD, REFUSED, TEXT, WANTED
from flows.processes import supervised
from warehouse.errors import CitytradeError, ReleaseError
from warehouse.query.limits import Limits
from warehouse.query.statements import reading_statement
from warehouse.settings.config import Config
from warehouse.store import release_folder

ENTRY = "flows.doors.answering:main"
STARTING_SECONDS = 120.0
ENDING_SECONDS = 5.0  # from a closed pipe to the end of the process
FROM_OUTSIDE = (signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGTERM)
# One arena a process, so that address space is what data take.
ALLOCATOR = {"MALLOC_ARENA_MAX": "1"}


class Door:
    """Asks a process of its own, which is killed when a query takes more than it may; the next
    question starts another.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder, self.limits = folder, limits
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Door:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def ask(self, statement: str, form: str, limit: int, out: TextIO | BinaryIO) -> None:
        """Print what one reading statement gives.

        Raises
        ------
        CitytradeError : a statement that does not read, one that DuckDB refuses (with its message),
            or one over its limits.
        KeyboardInterrupt : somebody stopped it.
        """
        reading_statement(statement)
        asked = json.dumps({"statement": statement, "form": form, "limit": limit})
        if self._process is None or self._process.poll() is not None:
            self._start()
        try:
            self._tell(asked)
        except BrokenPipeError:  # it ended after that look, before it was asked
            self._start()
            self._tell(asked)
        self._settled(self.limits.seconds, out)

    def _tell(self, asked: str) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(asked.encode() + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # a statement that nobody will answer any more
        self._process = None

    def _start(self) -> None:
        self.close()
        if not self.folder.is_dir():
            raise ReleaseError(
                f"Release {self.folder.name} is no longer on disk. Leave the shell and start it"
                " again: it reads the current one."
            )
        command = supervised.command(ENTRY, str(self.folder), str(self.limits.memory_bytes))
        self._process = subprocess.Popen(
            command,
            env={**supervised.environment(), **ALLOCATOR},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._settled(STARTING_SECONDS, None)

    def _settled(self, seconds: float, out: TextIO | BinaryIO | None) -> None:
        """Take frames until the answer is done; only time spent waiting for them counts."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        left = seconds
        try:
            while True:
                kind, content, took = self._frame(left)
                left -= took
                if kind == DONE:
                    return
                if kind == TEXT and out is not None:
                    cast(TextIO, out).write(decoder.decode(content))
                elif kind == BYTES:
                    cast(BinaryIO, out).write(content)
                elif kind == REFUSED:
                    raise CitytradeError(content.decode())
                # What was refused memory may still hold it, or end a moment later: the next
                # question is asked of a fresh process.
                elif kind == BROKEN:
                    self.close()
                    raise CitytradeError(content.decode())
                elif kind == WANTED:
                    self.close()
                    raise self.limits.over_memory()
        except _EndedError:
            raise self._ended() from None
        except (_OverTimeError, KeyboardInterrupt, BrokenPipeError) as error:
            self.close()
            if isinstance(error, _OverTimeError):
                raise self.limits.over_time() from None
            raise

    def _ended(self) -> CitytradeError:
        """Why the process ended before its answer did, by the signal that ended it: what is refused
        memory where nothing can catch that ends itself, and others end by somebody's signal.
        """
        assert self._process is not None
        try:
            code = self._process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            code = 0  # it has closed its pipe and does not end
        self.close()
        if -code not in FROM_OUTSIDE:
            return self.limits.over_memory()
        return CitytradeError(
            "The process that reads the release was ended from outside, by"
            f" {signal.Signals(-code).name}: by the system, where the machine is short of memory,"
            " or by somebody. Ask again, or for less."
        )

    def _frame(self, seconds: float) -> tuple[bytes, bytes, float]:
        """The next frame, and the seconds it was waited for."""
        deadline = time.monotonic() + seconds
        kind, size = HEAD.unpack(self._bytes(HEAD.size, deadline))
        content = self._bytes(size, deadline)
        return kind, content, seconds - (deadline - time.monotonic())

    def _bytes(self, size: int, deadline: float) -> bytes:
        assert self._process is not None and self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        taken = bytearray()
        while len(taken) < size:
            ready, _, _ = select.select([pipe], [], [], max(deadline - time.monotonic(), 0.0))
            if not ready:
                raise _OverTimeError
            part = os.read(pipe, size - len(taken))
            if not part:
                raise _EndedError
            taken += part
        return bytes(taken)


class _OverTimeError(Exception):
    """The answer did not come in time."""


class _EndedError(Exception):
    """The process ended in the middle of an answer."""


def run_sql(
    config: Config,
    text: str,
    form: str,
    limit: int,
    limits: Limits | None = None,
    sink: TextIO | BinaryIO | None = None,
) -> None:
    """Print what one reading statement on the current release gives, as table (at most `limit`
    rows), csv or json.

    Raises
    ------
    CitytradeError : more than one statement, one that does not read, one that DuckDB refuses (with
        its message), or one over its limits.
    """
    reading_statement(text)
    with Door(release_folder(config), limits or Limits()) as door:
        door.ask(text, form, limit, sink or sys.stdout)
