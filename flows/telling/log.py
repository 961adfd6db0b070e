"""The log: one line of JSON an event, with its time and counts, beside what people see.

A refresh writes it to home/logs/citytrade.log, which is kept small by rotation; `citytrade serve`
writes to its error output, with the priority that a journal reads from `<N>`.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

LOGGER = logging.getLogger("citytrade")
LOGGER.setLevel(logging.INFO)
LOGGER.propagate = False
LOGGER.addHandler(logging.NullHandler())
FOLDER, NAME = "logs", "citytrade.log"
BYTES, KEPT = 2_000_000, 5
PRIORITIES = {logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}


def event(name: str, level: int = logging.INFO, /, **about: object) -> None:
    """Log one event; `about` is what a reader filters by, such as source, release, rows."""
    LOGGER.log(level, name, extra={"about": about})


class Lines(logging.Formatter):
    """A record as one line of JSON: time (UTC), level, event, then what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        about = getattr(record, "about", {})
        return json.dumps(
            {
                "time": time,
                "level": record.levelname.lower(),
                "event": record.getMessage(),
                **about,
            },
            ensure_ascii=False,
            default=str,
        )


class JournalLines(Lines):
    """The same behind a journal's priority."""

    def format(self, record: logging.LogRecord) -> str:
        return f"<{PRIORITIES.get(record.levelno, 6)}>{super().format(record)}"


class LogFile(logging.handlers.RotatingFileHandler):
    """A file that may lie on a full disk: then one sentence says so, and the work goes on."""

    is_told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's own name)
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self.is_told:
            self.is_told = True
            sys.stderr.write(
                f"warning: {self.baseFilename} cannot be written ({error.strerror}); what happens"
                " is not logged.\n"
            )


@contextmanager
def log_to_file(home: Path) -> Iterator[None]:
    """Keep the log of what is done meanwhile; one process at a time, as who holds the
    home's lock.
    """
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    handler = LogFile(folder / NAME, maxBytes=BYTES, backupCount=KEPT, encoding="utf-8")
    handler.setFormatter(Lines())
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        with suppress(OSError):  # what a full disk did not take is still held, and closing tries
            handler.close()


def log_to_journal() -> None:
    """Log to the error output from now on, for the journal of a service."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JournalLines())
    LOGGER.addHandler(handler)
