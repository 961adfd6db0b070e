"""Read a source's raw files into the lake: small ones here, big ones in up to two processes of
their own.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from types import TracebackType

from flows.processes.supervised import PROJECT, die_with
from flows.telling.lines import Say
from flows.telling.progress import Pace, advance
from warehouse.database import share
from warehouse.errors import ReleaseError, SourceError
from warehouse.lake.duplicates import refuse_duplicates
from warehouse.lake.loads import LoadReport
from warehouse.sources import get_source
from warehouse.sources.reading.encodings import shown_name
from warehouse.sources.reading.loading import known_load, load_file
from warehouse.sources.reading.parts import Spread

BIG_BYTES = 2 * 1024 * 1024
PROCESSES = 2
WORTH_A_LINE_SECONDS = 0.5
# Errors of a disk or a network share that may be gone a few seconds later.
TRANSIENT = {
    errno.EIO,
    errno.EAGAIN,
    errno.EBUSY,
    errno.EINTR,
    errno.ESTALE,
    errno.ETIMEDOUT,
    errno.EHOSTDOWN,
    errno.ENETDOWN,
    errno.ECONNRESET,
}


class Reader:
    """Reads files; big ones in processes that are started when the first of them comes, and end
    with this one.
    """

    def __init__(self, lake: Path, say: Say, files_n: int = 0) -> None:
        self._lake, self._say = lake, say
        self._files_n, self._done_n = files_n, 0
        self._pool: ProcessPoolExecutor | None = None
        self._pace = Pace()

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is None:
            return
        if kind is not None and not issubclass(kind, Exception):
            # Ctrl-C: what is half read is worth nothing, and a file may take minutes still.
            for process in multiprocessing.active_children():
                process.terminate()
        self._pool.shutdown(cancel_futures=True)

    def read(
        self, source: str, files: Sequence[Path], options: Mapping[str, str]
    ) -> tuple[LoadReport, ...]:
        """Read a source's files, in parallel where they are big; those already in the lake are not
        read again.

        Raises
        ------
        SourceError : the first file, in their order, that cannot be read, or one that holds the
            same rows as another.
        OSError : a file that cannot be read now, but perhaps in a moment.
        """
        big = unread(source, files, self._lake, options) if len(files) > 1 else []
        jobs = {self._submit(source, file, options): file for file in big}
        done: dict[Path, tuple[LoadReport, bool, float]] = {}
        problems: dict[Path, Exception] = {}

        def settle(file: Path, give: Callable[[], tuple[LoadReport, bool, float]]) -> None:
            self._done_n += 1
            try:
                done[file] = give()
            except (SourceError, OSError) as error:
                problems[file] = error
            except BrokenProcessPool:
                problems[file] = SourceError(
                    shown_name(file),
                    "",
                    "the process that read it was killed, perhaps for want of memory",
                    "Free memory or split the file",
                )
            else:
                self._tell(source, file, *done[file])
            if file in big:
                self._pace.read(_size(file), done[file][0].read_n if file in done else 0)
            advance(self._say, self._done_n, self._files_n, self._pace.told())

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

    def _tell(
        self, source: str, file: Path, report: LoadReport, is_new: bool, seconds: float
    ) -> None:
        if is_new and seconds >= WORTH_A_LINE_SECONDS:
            self._say(
                f"  {source}: {shown_name(file)}: {report.read_n:,} rows read,"
                f" {report.set_aside_n:,} set aside, {seconds:.1f} s"
            )

    def _tell_source(self, source: str, done: list[tuple[LoadReport, bool, float]]) -> None:
        known = sum(not is_new for _, is_new, _ in done)
        read, aside = (
            sum(report.read_n for report, _, _ in done),
            sum(report.set_aside_n for report, _, _ in done),
        )
        before = f", {known} of them already in the lake" if known else ""
        self._say(
            f"  {source}: {len(done)} file{'' if len(done) == 1 else 's'}{before}; {read:,} rows,"
            f" {aside:,} set aside"
        )

    def _submit(
        self, source: str, file: Path, options: Mapping[str, str]
    ) -> Future[tuple[LoadReport, bool, float]]:
        self._pace.expect(_size(file))
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                PROCESSES, mp_context=context, initializer=_begin, initargs=(os.getpid(),)
            )
        return self._pool.submit(read_one, source, file, self._lake, dict(options))


def unread(
    source: str, files: Sequence[Path], lake: Path, options: Mapping[str, str]
) -> list[Path]:
    """The big files that the lake does not hold: to find a file known, no process is needed."""
    return [
        file
        for file in files
        if _size(file) >= BIG_BYTES and not _is_known(source, file, lake, options)
    ]


def _begin(parent: int) -> None:
    """In a reader's own process, before its first file."""
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of Ctrl-C the parent hears too, and ends this
    share(PROCESSES)


def read_one(
    source: str,
    file: Path,
    lake: Path,
    options: Mapping[str, str],
    spread: Spread | None = None,
) -> tuple[LoadReport, bool, float]:
    """Read one file: its report, whether it was read now, and the seconds it took.

    Parameters
    ----------
    spread : who reads the parts of a large file

    Raises
    ------
    SourceError : the file cannot be read, or the reader broke over it.
    OSError : a passing fault of the disk or the network.
    ReleaseError : the disk is full; no other file would fare better.
    """
    start = time.perf_counter()
    try:
        report, is_new = load_file(get_source(source), file, lake, options, spread)
    except Exception as error:
        if is_full_disk(error):
            raise ReleaseError(
                f"{lake}: no space left on device while {shown_name(file)} was read. Free some"
                " space, then refresh again."
            ) from error
        told = _as_told(file, error)
        if told is error:
            raise
        raise told from error
    return report, is_new, time.perf_counter() - start


def _as_told(file: Path, error: Exception) -> Exception:
    """The error to raise for one that came up while a file was read."""
    if isinstance(error, SourceError):
        cause = error.__cause__
        return cause if isinstance(cause, OSError) and is_transient(cause) else error
    if isinstance(error, OSError):
        if is_transient(error):
            return error
        return SourceError(
            shown_name(file),
            "",
            f"stopped at {error.filename or 'the disk'} ({error.strerror or error})",
            "Check the disk and the permissions",
        )
    # a fault of the reader must not take the other sources with it
    problem = f"the reader broke ({type(error).__name__}: {error}{_place(error)})"
    return SourceError(
        shown_name(file), "", problem, "Please report it with the file's first lines"
    )


def _is_known(source: str, file: Path, lake: Path, options: Mapping[str, str]) -> bool:
    try:
        return known_load(get_source(source), file, lake, options) is not None
    except Exception:
        return False  # reading it says what is wrong


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0  # reading it says what is wrong


def is_transient(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in TRANSIENT


def is_full_disk(error: BaseException | None) -> bool:
    """Whether the disk had no room, whoever says so: the system, or DuckDB in words."""
    words = os.strerror(errno.ENOSPC).lower()
    return any(
        (isinstance(one, OSError) and one.errno == errno.ENOSPC) or words in str(one).lower()
        for one in (error, getattr(error, "__cause__", None))
    )


def _place(error: BaseException) -> str:
    """The last line of the project's own code that an error passed through."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(PROJECT)
    ]
    return f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
