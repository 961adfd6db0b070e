"""How far a refresh is: on a terminal a bar with its share and the time left, elsewhere lines, and
never a long silence.

What is said line by line goes to standard output in both cases; the bar and the signs of life go to
the error output, so that what a program reads is the same everywhere.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flows.telling.lines import Say, say_at_once

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# Which share of a refresh is done when a line with these first words is said, and when the next is.
PHASES = {
    "Simulating": (0.0, 0.02),
    "Reading": (0.02, 0.3),
    "Checking deliveries": (0.3, 0.35),
    "Building models": (0.35, 0.9),
    "Checking panels": (0.9, 0.99),
}
QUIET_SECONDS, QUIET_AT_MOST = 2.0, 30.0


class Teller:
    """Says lines, and knows how far the work is: `share` of 1, `phase` in words, `part` such as "12
    of 378".
    """

    def __init__(self) -> None:
        self.share, self.phase, self.part = 0.0, "Looking at the raw files", ""
        self.spoke = self.start = time.monotonic()

    def __call__(self, text: str) -> None:
        say_at_once(text)
        self.spoke = time.monotonic()
        for words, (begin, _) in PHASES.items():
            if text.startswith(words):
                self.phase, self.share, self.part = text.split(" (")[0], begin, ""

    def advance(self, done: int, total: int, told: str = "") -> None:
        """So many of so many things of this phase are done; perhaps there is more to tell."""
        if total > 0:
            begin, end = next(
                (shares for words, shares in PHASES.items() if self.phase.startswith(words)),
                (self.share, self.share),
            )
            self.share, self.part = (
                begin + (end - begin) * min(done / total, 1.0),
                f"{done} of {total}{told and f', {told}'}",
            )


class Pace:
    """How fast big files are read: rows a second so far, and the time that the others take if each
    of their bytes takes as long.
    """

    def __init__(self) -> None:
        self._start: float | None = None
        self._rows = self._bytes = self._waiting = 0

    def expect(self, bytes_n: int) -> None:
        self._start = self._start or time.monotonic()
        self._waiting += bytes_n

    def read(self, bytes_n: int, rows_n: int) -> None:
        self._waiting, self._bytes = self._waiting - bytes_n, self._bytes + bytes_n
        self._rows += rows_n

    def told(self) -> str:
        """In words; nothing before the first file is read, and after the last."""
        if self._start is None or not self._bytes or not self._waiting:
            return ""
        seconds = time.monotonic() - self._start
        left = seconds * self._waiting / self._bytes
        about = f"{left:.0f} s" if left < 100 else f"{left / 60:.0f} min"
        return f"{self._rows / seconds:,.0f} rows a second, about {about} of reading left"


def advance(say: Say, done: int, total: int, told: str = "") -> None:
    """Tell who says the lines how far the work is, if that is of interest there."""
    if isinstance(say, Teller):
        say.advance(done, total, told)


@contextmanager
def telling() -> Iterator[Teller]:
    """A teller for as long as the work takes: with a bar if a person watches."""
    teller, over = Teller(), threading.Event()
    watch = _show_bar if sys.stderr.isatty() and sys.stdout.isatty() else _show_life
    thread = threading.Thread(target=watch, args=(teller, over), name="progress", daemon=True)
    thread.start()
    try:
        yield teller
    finally:
        over.set()
        thread.join(timeout=5)


def _show_life(teller: Teller, over: threading.Event) -> None:
    """A line after two seconds without one, then after four, eight, and every half minute while a
    phase lasts.
    """
    gap, phase = QUIET_SECONDS, teller.phase
    while not over.wait(0.2):
        if teller.phase != phase:
            gap, phase = QUIET_SECONDS, teller.phase
        if time.monotonic() - teller.spoke >= gap:
            part = f", {teller.part}" if teller.part else ""
            sys.stderr.write(
                f"  … {teller.phase}{part}, {time.monotonic() - teller.start:.0f} s so far\n"
            )
            sys.stderr.flush()
            teller.spoke, gap = time.monotonic(), min(2 * gap, QUIET_AT_MOST)


def _show_bar(teller: Teller, over: threading.Event) -> None:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(teller.phase, total=1.0)
        while not over.wait(0.1):
            _update(bar, task, teller)


def _update(bar: Progress, task: TaskID, teller: Teller) -> None:
    bar.update(task, completed=teller.share, description=f"{teller.phase} {teller.part}".strip())
