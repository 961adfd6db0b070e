"""One refresh at a time in a home: a lock that ends with its process, however that ends."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from warehouse.errors import ReleaseError

LOCK_NAME = "refresh.lock"
LOOKS = (0.05, 0.2)  # seconds to wait before trying again


@dataclass(frozen=True)
class Holder:
    """Who refreshes, as the lock file tells."""

    pid: int
    host: str
    started: str


@contextmanager
def hold(home: Path, say: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold the home's lock; what a process that was killed left in it is told and overwritten.

    Raises
    ------
    ReleaseError : another refresh holds it (the message says which process, on which host, since when), or the home cannot be written to.
    """
    with _opened(home) as handle:
        if not _got(handle):
            holder = _holder(home)
            who = f"process {holder.pid} on {holder.host}, since {holder.started}" if holder else "another process"
            raise ReleaseError(f"A refresh of {home} is already running ({who}). Wait until it has finished, then try again.")
        left = _holder(home)
        if left is not None:
            say(f"The refresh of process {left.pid} on {left.host}, started {left.started}, ended before it was done; what it left is removed.")
        said = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "started": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"})
        try:
            handle.truncate(0)
            os.write(handle.fileno(), said.encode())  # past the buffer: a full disk is told here, and not once more when the file is closed
        except OSError as error:
            raise _unwritable(home, error) from error
        try:
            yield
        finally:
            handle.truncate(0)  # a process that is killed does not come here, and its name stays


def _got(handle: TextIO) -> bool:
    """Whether the lock is ours now; who only looks at it, as `state` does, holds it for a moment, which is waited for."""
    for pause in (*LOOKS, 0.0):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
        else:
            return True
    return False


def _opened(home: Path) -> TextIO:
    try:
        home.mkdir(parents=True, exist_ok=True)
        return (home / LOCK_NAME).open("a+", encoding="utf-8")
    except OSError as error:
        raise _unwritable(home, error) from error


def _unwritable(home: Path, error: OSError) -> ReleaseError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    remedy = "Free some space there." if full else "Choose another home in [warehouse], or give yourself the right to write there."
    return ReleaseError(f"{home}: the home cannot be written to ({error.strerror}). {remedy}")


def state(home: Path) -> Holder | None:
    """Who holds the lock now, or None; what a dead process left in the file does not count."""
    file = home / LOCK_NAME
    if not file.is_file():
        return None
    with file.open("r", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _holder(home) or Holder(0, "unknown", "unknown")
    return None


def left_behind(home: Path) -> Holder | None:
    """Who held the lock last and ended without giving it back, or None; the lock is free all the same."""
    return _holder(home) if state(home) is None else None


def _holder(home: Path) -> Holder | None:
    try:
        return Holder(**json.loads((home / LOCK_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # the holder is just writing its name
