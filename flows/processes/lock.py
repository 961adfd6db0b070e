"""One refresh at a time in a home: a lock that ends with its process, however that ends.

The home's folder itself is locked, which nobody can delete from under a refresh. The file
`refresh.lock` only says who holds the lock; deleted, or a link to elsewhere, it does no harm: it is
replaced, never followed.
"""

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

from warehouse.errors import ReleaseError

LOCK_NAME = "refresh.lock"
LONGEST = 4096
LOOKS = (0.05, 0.2)  # seconds to wait before trying again


class HomeError(ReleaseError):
    """The home cannot be written to, so that not even a log can say so."""


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
    ReleaseError : another refresh holds it; the message says which process, on which host, since
        when.
    HomeError : the home cannot be written to.
    """
    handle = _opened(home)
    try:
        if not _got(handle):
            holder = _holder(home)
            who = (
                f"process {holder.pid} on {holder.host}, since {holder.started}"
                if holder
                else "another process"
            )
            raise ReleaseError(
                f"A refresh of {home} is already running ({who}). Wait until it has finished, then"
                " try again."
            )
        left = _holder(home)
        if left is not None:
            say(
                f"The refresh of process {left.pid} on {left.host}, started {left.started}, ended"
                " before it was done; what it left is removed."
            )
        _sign(home)
        try:
            yield
        finally:
            (home / LOCK_NAME).unlink(
                missing_ok=True
            )  # a process that is killed does not come here, and its name stays
    finally:
        os.close(handle)


def _sign(home: Path) -> None:
    """Say who holds the lock, in a file that takes the place of whatever has its name."""
    said = json.dumps(
        {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "started": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
        }
    )
    fresh = home / f".{LOCK_NAME}.{os.getpid()}"
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
        try:
            os.write(handle, said.encode())
        finally:
            os.close(handle)
        os.replace(fresh, home / LOCK_NAME)
    except OSError as error:
        raise _unwritable(home, error) from error


def _got(handle: int) -> bool:
    """Whether the lock is ours now; who only looks at it, as `state` does, holds it for a moment,
    which is waited for.
    """
    for pause in (*LOOKS, 0.0):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
        else:
            return True
    return False


def _opened(home: Path) -> int:
    try:
        home.mkdir(parents=True, exist_ok=True)
        return os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _unwritable(home, error) from error


def _unwritable(home: Path, error: OSError) -> HomeError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    remedy = (
        "Free some space there."
        if full
        else "Choose another home in [warehouse], or give yourself the right to write there."
    )
    return HomeError(f"{home}: the home cannot be written to ({error.strerror}). {remedy}")


def state(home: Path) -> Holder | None:
    """Who holds the lock now, or None; what a dead process left in the file does not count."""
    if not home.is_dir():
        return None
    handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(home) or Holder(0, "unknown", "unknown")
    finally:
        os.close(handle)
    return None


def left_behind(home: Path) -> Holder | None:
    """Who held the lock last and ended without giving it back, or None; the lock is free all the
    same.
    """
    return _holder(home) if state(home) is None else None


def _holder(home: Path) -> Holder | None:
    try:
        handle = os.open(home / LOCK_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None  # nobody holds it, or the file is a link that says nothing
    with os.fdopen(handle, encoding="utf-8", errors="replace") as file:
        try:
            return Holder(**json.loads(file.read(LONGEST)))
        except (OSError, ValueError, TypeError):
            return None
