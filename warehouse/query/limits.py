"""Limits of one query, so that a slip of the pen in a shared shell does not take the machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from warehouse.errors import CitytradeError

LOOK_EVERY_SECONDS = 0.1


@dataclass(frozen=True)
class Limits:
    """seconds : a query is stopped after these; memory : what it may take, such as "2GB"."""

    seconds: float = 60.0
    memory: str = "2GB"

    def run(self, connection: duckdb.DuckDBPyConnection, work: Callable[[], None]) -> None:
        """Do the work on the connection in a thread of its own, and stop it when its time is over or somebody presses Ctrl-C.

        In this thread Ctrl-C would be noticed only once DuckDB is done with what it is just doing, which may take minutes.

        Raises
        ------
        CitytradeError : it was stopped after its time, or wanted more memory.
        KeyboardInterrupt : somebody stopped it.
        """
        errors: list[BaseException] = []
        done = threading.Event()  # Thread.join would take the thread for ended once Ctrl-C has come (Python 3.11)
        deadline = time.monotonic() + self.seconds
        threading.Thread(target=_keep_error, args=(work, errors, done), daemon=True).start()
        stopped_by: type[BaseException] | None = None
        while not done.is_set():
            try:
                done.wait(LOOK_EVERY_SECONDS)
            except KeyboardInterrupt:
                stopped_by = KeyboardInterrupt
            if stopped_by is None and time.monotonic() > deadline:
                stopped_by = CitytradeError
            if stopped_by is not None and not done.is_set():
                connection.interrupt()
        if errors:
            self._tell(errors[0], stopped_by)

    def _tell(self, error: BaseException, stopped_by: type[BaseException] | None) -> None:
        if stopped_by is KeyboardInterrupt:
            raise KeyboardInterrupt from error
        if stopped_by is CitytradeError:
            remedy = "Narrow it (fewer years, fewer columns), or allow more with --seconds."
            raise CitytradeError(f"The query was stopped after {self.seconds:g} s. {remedy}") from error
        if isinstance(error, duckdb.OutOfMemoryException):
            raise CitytradeError(f"The query wanted more than {self.memory} of memory. Narrow it, or allow more with --memory.") from error
        raise error


def _keep_error(work: Callable[[], None], errors: list[BaseException], done: threading.Event) -> None:
    try:
        work()
    except BaseException as error:  # it is raised again where the work was asked for
        errors.append(error)
    finally:
        done.set()
