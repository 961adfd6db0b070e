"""Read a source's raw files into the lake: small ones here, big ones in up to two processes of their own."""

from __future__ import annotations

import errno
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from flows.supervised import die_with
from warehouse.errors import SourceError
from warehouse.lake import LoadReport
from warehouse.sources import get_source
from warehouse.sources.base import load_file

BIG_BYTES = 8 * 1024 * 1024
PROCESSES = 2
# Errors of a disk or a network share that may be gone a few seconds later.
TRANSIENT = {errno.EIO, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENETDOWN, errno.ECONNRESET}

Say = Callable[[str], None]


@dataclass(frozen=True)
class SourceOutcome:
    """What became of one source in this refresh.

    status : loaded | not_configured | failed | held
    loads : what models read of it: its new loads, its former ones if it failed or is held, or none
    """

    source: str
    status: str
    loads: tuple[LoadReport, ...] = ()
    message: str = ""
    is_simulated: bool = False

    @property
    def is_trouble(self) -> bool:
        return self.status in ("failed", "held")


class Reader:
    """Reads files; big ones in processes that are started when the first of them comes, and end with this one."""

    def __init__(self, lake: Path, say: Say) -> None:
        self._lake, self._say = lake, say
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def read(self, source: str, files: Sequence[Path], options: Mapping[str, str]) -> tuple[LoadReport, ...]:
        """Read a source's files, in parallel where they are big; those already in the lake are not read again.

        Raises
        ------
        SourceError : the first file, in their order, that cannot be read.
        OSError : a file that cannot be read now, but perhaps in a moment.
        """
        big = [file for file in files if file.stat().st_size >= BIG_BYTES] if len(files) > 1 else []
        jobs = {file: self._submit(source, file, options) for file in big}
        reports, known = [], 0
        for file in files:
            report, is_new, seconds = jobs[file].result() if file in jobs else read_one(source, file, self._lake, dict(options))
            reports.append(report)
            known += not is_new
            if is_new:
                self._say(f"  {source}: {file.name}: {report.read_n:,} rows read, {report.set_aside_n:,} set aside, {seconds:.1f} s")
        if known:
            self._say(f"  {source}: {known} of {len(files)} files already in the lake")
        return tuple(reports)

    def _submit(self, source: str, file: Path, options: Mapping[str, str]) -> Future[tuple[LoadReport, bool, float]]:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=die_with, initargs=(os.getpid(),))
        return self._pool.submit(read_one, source, file, self._lake, dict(options))


def read_one(source: str, file: Path, lake: Path, options: dict[str, str]) -> tuple[LoadReport, bool, float]:
    """Read one file: its report, whether it was read now, and the seconds it took; a passing fault stays an OSError."""
    start = time.perf_counter()
    try:
        report, is_new = load_file(get_source(source), file, lake, options)
    except SourceError as error:
        if is_transient(error.__cause__):
            assert isinstance(error.__cause__, OSError)
            raise error.__cause__ from error
        raise
    return report, is_new, time.perf_counter() - start


def is_transient(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in TRANSIENT


def describe_failure(error: BaseException) -> str:
    """What is told about a source that stopped; a fault of the reader itself says where it broke."""
    if isinstance(error, SourceError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}. Check the disk and the permissions, then refresh again."
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" in {Path(place.tb_frame.f_code.co_filename).name}, line {place.tb_lineno}" if place is not None else ""
    return f"the reader broke ({type(error).__name__}: {error}{where}). Please report it with the file's first lines."
