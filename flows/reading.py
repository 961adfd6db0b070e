"""Read a source's raw files into the lake: small ones here, big ones in up to two processes of their own."""

from __future__ import annotations

import errno
import multiprocessing
import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

from flows.supervised import PROJECT, die_with
from warehouse.duplicates import refuse_duplicates
from warehouse.errors import SourceError
from warehouse.lake import LoadReport
from warehouse.sources import get_source
from warehouse.sources.base import load_file

BIG_BYTES = 2 * 1024 * 1024
PROCESSES = 2
WORTH_A_LINE_SECONDS = 0.5
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
        SourceError : the first file, in their order, that cannot be read, or one that holds the same rows as another.
        OSError : a file that cannot be read now, but perhaps in a moment.
        """
        big = [file for file in files if _size(file) >= BIG_BYTES] if len(files) > 1 else []
        jobs = {self._submit(source, file, options): file for file in big}
        done: dict[Path, tuple[LoadReport, bool, float]] = {}
        problems: dict[Path, Exception] = {}

        def settle(file: Path, give: Callable[[], tuple[LoadReport, bool, float]]) -> None:
            try:
                done[file] = give()
            except (SourceError, OSError) as error:
                problems[file] = error
            except BrokenProcessPool:
                problems[file] = SourceError(file.name, "", "the process that read it was killed, perhaps for want of memory", "Free memory or split the file")
            else:
                self._tell(source, file, *done[file])

        for file in files:
            if file not in big:
                settle(file, partial(read_one, source, file, self._lake, dict(options)))
        for job in as_completed(jobs):
            settle(jobs[job], job.result)
        if problems:
            raise next(problems[file] for file in files if file in problems)
        refuse_duplicates(self._lake, {file: done[file][0] for file in files})
        self._tell_source(source, list(done.values()))
        return tuple(done[file][0] for file in files)

    def _tell(self, source: str, file: Path, report: LoadReport, is_new: bool, seconds: float) -> None:
        if is_new and seconds >= WORTH_A_LINE_SECONDS:
            self._say(f"  {source}: {file.name}: {report.read_n:,} rows read, {report.set_aside_n:,} set aside, {seconds:.1f} s")

    def _tell_source(self, source: str, done: list[tuple[LoadReport, bool, float]]) -> None:
        known = sum(not is_new for _, is_new, _ in done)
        read, aside = sum(report.read_n for report, _, _ in done), sum(report.set_aside_n for report, _, _ in done)
        before = f", {known} of them already in the lake" if known else ""
        self._say(f"  {source}: {len(done)} file{'' if len(done) == 1 else 's'}{before}; {read:,} rows, {aside:,} set aside")

    def _submit(self, source: str, file: Path, options: Mapping[str, str]) -> Future[tuple[LoadReport, bool, float]]:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=die_with, initargs=(os.getpid(),))
        return self._pool.submit(read_one, source, file, self._lake, dict(options))


def read_one(source: str, file: Path, lake: Path, options: dict[str, str]) -> tuple[LoadReport, bool, float]:
    """Read one file: its report, whether it was read now, and the seconds it took.

    Raises
    ------
    SourceError : the file cannot be read, or the reader broke over it.
    OSError : a passing fault of the disk or the network.
    """
    start = time.perf_counter()
    try:
        report, is_new = load_file(get_source(source), file, lake, options)
    except SourceError as error:
        if is_transient(error.__cause__):
            assert isinstance(error.__cause__, OSError)
            raise error.__cause__ from error
        raise
    except OSError as error:
        if is_transient(error):
            raise
        raise SourceError(
            file.name, "", f"stopped at {error.filename or 'the disk'} ({error.strerror or error})", "Check the disk and the permissions"
        ) from error
    except Exception as error:  # a fault of the reader must not take the other sources with it
        problem = f"the reader broke ({type(error).__name__}: {error}{_place(error)})"
        raise SourceError(file.name, "", problem, "Please report it with the file's first lines") from error
    return report, is_new, time.perf_counter() - start


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0  # reading it says what is wrong


def is_transient(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in TRANSIENT


def _place(error: BaseException) -> str:
    """The last line of the project's own code that an error passed through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(PROJECT)]
    return f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
