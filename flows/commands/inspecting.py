"""Looking into files, two at a time where there are many."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from flows.processes.supervised import die_with
from flows.telling.inspected import inspection_text
from warehouse.errors import CitytradeError, SourceError
from warehouse.settings.config import Config
from warehouse.settings.patterns import matched_files
from warehouse.sources.inspection.inspected import inspect
from warehouse.sources.reading.encodings import shown_name
from warehouse.sources.reading.options import options_for

MANY = 6  # files from which on two are looked at together: a process takes a second to start
TOGETHER = 2  # each may hold a workbook as large as the limits of its reader


def looks(config: Config | None, files: Sequence[Path]) -> Iterator[tuple[str, bool]]:
    """What is said of each file, in their order, and whether it could be looked at."""
    if len(files) < MANY:
        yield from (look(config, file) for file in files)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        TOGETHER, mp_context=context, initializer=die_with, initargs=(os.getpid(),)
    ) as pool:
        jobs = [pool.submit(look, config, file) for file in files]
        for file, job in zip(files, jobs, strict=True):
            try:
                yield job.result()
            except BrokenProcessPool:
                told = "the process that looked at it was killed, perhaps for want of memory"
                yield f"{shown_name(file)}: {told}. Inspect it alone.", False


def look(config: Config | None, file: Path) -> tuple[str, bool]:
    """What is said of a file, and whether it could be looked at."""
    try:
        return inspection_text(inspect(file, lambda path: _named_under(config, path))), True
    except SourceError as error:
        return str(error), False


def _named_under(config: Config | None, file: Path) -> Mapping[str, Mapping[str, str]]:
    """The sources under which the configuration names a file, with their options for it."""
    found: dict[str, Mapping[str, str]] = {}
    for name, settings in {} if config is None else config.sources.items():
        try:
            files = matched_files(settings.patterns)
        except CitytradeError:
            continue
        if file.absolute() in files:
            found[name] = options_for(file, settings.options)
    return found
