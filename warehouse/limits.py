"""Limits of one query, so that a slip of the pen in a shared shell does not take the machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from warehouse.errors import CitytradeError


@dataclass(frozen=True)
class Limits:
    """seconds : a query is stopped after these; memory : what it may take, such as "2GB"."""

    seconds: float = 60.0
    memory: str = "2GB"

    @contextmanager
    def held(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Stop whatever the connection does when the time is over.

        Raises
        ------
        CitytradeError : it was stopped, or wanted more memory.
        """
        over = threading.Event()

        def stop() -> None:
            over.set()
            connection.interrupt()

        timer = threading.Timer(self.seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        except duckdb.InterruptException as error:
            if not over.is_set():
                raise KeyboardInterrupt from error
            raise CitytradeError(
                f"The query was stopped after {self.seconds:g} s. Narrow it (fewer years, fewer columns), or allow more with --seconds."
            ) from error
        except RuntimeError as error:
            if "interrupted" not in str(error).lower():  # what DuckDB's client makes of Ctrl-C
                raise
            raise KeyboardInterrupt from error
        except duckdb.OutOfMemoryException as error:
            raise CitytradeError(f"The query wanted more than {self.memory} of memory. Narrow it, or allow more with --memory.") from error
        finally:
            timer.cancel()
