"""What the processes below this one cost while a block runs: seconds, processor seconds, memory,
and the disk that a folder takes. Linux only: it reads /proc.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
OFTEN = 0.2  # seconds between two looks at processes
SELDOM = 2.0  # and between two at a folder, whose files are counted one by one
BLOCK = 512  # bytes, the unit of st_blocks wherever Linux runs
# Below this a machine begins to swap, or its other programs fail: what is watched is ended first.
LEAST_MEMORY, LEAST_DISK = 1_000_000_000, 4_000_000_000
PATIENCE = 1.0  # seconds between two looks at what the machine has left


@dataclass(frozen=True)
class Look:
    """What was seen at once: seconds since the start, processor seconds until then, resident bytes
    of all processes and of the largest, and what that one runs.
    """

    at: float
    cpu: float
    memory: int
    process: int
    command: str


@dataclass
class Cost:
    """Seconds by the clock, processor seconds and the most memory in bytes of a run and all that
    it started; memory that two processes share counts twice.

    process : the most memory of any one process
    disk : the most that the folder took, in bytes
    looks : what was seen, in order of time
    """

    seconds: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    process: int = 0
    disk: int = 0
    looks: list[Look] = field(default_factory=list)


@contextmanager
def watched(folder: Path | None = None) -> Iterator[Cost]:
    """The cost of the processes that this one starts while the block runs.

    Parameters
    ----------
    folder : whose disk is watched too
    """
    cost, over, used = Cost(), threading.Event(), {}
    before = _descendants()
    start = time.perf_counter()

    def look() -> None:
        while not over.wait(OFTEN):
            now = {pid: seen for pid, seen in _descendants().items() if pid not in before}
            used.update({pid: cpu for pid, (cpu, _) in now.items()})
            if not now:
                continue
            largest = max(now, key=lambda pid: now[pid][1])
            memory, process = sum(memory for _, memory in now.values()), now[largest][1]
            cost.cpu = sum(used.values())
            cost.memory, cost.process = max(cost.memory, memory), max(cost.process, process)
            at = time.perf_counter() - start
            cost.looks.append(Look(at, cost.cpu, memory, process, _command(largest)))

    def measure() -> None:
        while folder is not None and not over.wait(SELDOM):
            cost.disk = max(cost.disk, disk_of(folder))

    threads = [threading.Thread(target=work, daemon=True) for work in (look, measure)]
    for thread in threads:
        thread.start()
    try:
        yield cost
    finally:
        cost.seconds = time.perf_counter() - start
        over.set()
        for thread in threads:
            thread.join()
        cost.cpu = sum(used.values())


def disk_of(folder: Path) -> int:
    """Bytes that a folder's files take on the disk; what links share counts once."""
    seen: dict[tuple[int, int], int] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                about = os.lstat(os.path.join(place, name))
            except OSError:
                continue  # it went meanwhile
            seen[about.st_dev, about.st_ino] = about.st_blocks * BLOCK
    return sum(seen.values())


def _command(pid: int) -> str:
    """A process's command line, or nothing if it is over."""
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        return ""


def _descendants() -> dict[int, tuple[float, int]]:
    """Each process below this one: processor seconds of its own, and resident bytes."""
    stats = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text()
        except OSError:
            continue  # it is over
        fields = text[text.rindex(")") + 2 :].split()
        cpu = (int(fields[11]) + int(fields[12])) / TICKS
        stats[int(folder.name)] = (int(fields[1]), cpu, int(fields[21]) * PAGE)
    found, waiting = {}, [os.getpid()]
    while waiting:
        above = waiting.pop()
        below = [pid for pid, (parent, _, _) in stats.items() if parent == above]
        found.update({pid: stats[pid][1:] for pid in below})
        waiting += below
    return found


class guarded:  # noqa: N801 (a context manager is named like a function)
    """End a process and all that it started before the machine has no memory or no disk left; what
    is given says why, if so.
    """

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder, self._over = process, folder, threading.Event()
        self._why: list[str] = []
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> list[str]:
        self._thread.start()
        return self._why

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _watch(self) -> None:
        while not self._over.wait(PATIENCE):
            memory, disk = _memory_left(), shutil.disk_usage(self._folder).free
            if memory < LEAST_MEMORY or disk < LEAST_DISK:
                what = f"{memory / 1e9:.1f} GB of memory and {disk / 1e9:.1f} GB of disk were left"
                self._why.append(what)
                os.killpg(self._process.pid, signal.SIGKILL)
                return


def _memory_left() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("/proc/meminfo does not say what memory is available.")
