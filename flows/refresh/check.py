"""`citytrade refresh --check`: every configured file is recognised and its first rows are read by
its own reader, in seconds, and nothing in the home is touched.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from flows.telling.lines import Say
from flows.telling.progress import advance
from warehouse.errors import ConfigError, SourceError
from warehouse.settings.config import Config
from warehouse.settings.patterns import matched_files
from warehouse.sources.inspection.examine import Examination, examine, opened
from warehouse.sources.reading.encodings import shown_name
from warehouse.sources.reading.options import options_for
from warehouse.sources.reading.sheets import WHOLE_SHEET

ROWS, WHOLE_BYTES, MEMBERS = 2_000, 512 * 1024, 20
SHOWN = 5  # heads and reasons in a line


def check(config: Config, say: Say) -> int:
    """Say of every file what a refresh would read of it; 1 where one would be refused, else 0."""
    start = time.perf_counter()
    if config.simulate is not None and not _is_there(config):
        say(
            f"The simulated world in {config.simulate.directory} is not written yet: a refresh"
            " writes it first. Its files are not checked."
        )
        return 0
    files, refusals = _files_of(config)
    say(f"Reading the first rows of {len(files)} raw files")
    for done, (source, file) in enumerate(files, start=1):
        advance(say, done, len(files))
        parts = list(_examined(config, source, file))
        refusals += [f"{source}: {part.refusal}" for part in parts if part.refusal is not None]
        say(f"  {source}: {_told(file, parts)}")
    for refusal in refusals:
        say(f"REFUSED {refusal}")
    seconds = time.perf_counter() - start
    verdict = f"{len(refusals):,} would be refused" if refusals else "none would be refused"
    say(
        f"Looked at {len(files):,} files of {len(config.sources)} sources in {seconds:.1f} s:"
        f" {verdict}. Nothing was loaded or changed."
    )
    return 1 if refusals else 0


def _is_there(config: Config) -> bool:
    from warehouse.simulate import world_is_current

    settings = config.simulate
    return settings is not None and world_is_current(
        settings.directory, settings.scale, settings.seed
    )


def _files_of(config: Config) -> tuple[list[tuple[str, Path]], list[str]]:
    """Source and file of every one that the configuration names, and why patterns name none."""
    files: list[tuple[str, Path]] = []
    problems: list[str] = []
    for name, settings in config.sources.items():
        try:
            files += [(name, file) for file in matched_files(settings.patterns)]
        except ConfigError as error:
            problems.append(f"{name}: {error}")
    return files, problems


def _examined(config: Config, source: str, file: Path) -> Iterator[Examination]:
    try:
        options = options_for(file, config.sources[source].options)
        with opened(file, options) as (raw, folder):
            yield from examine(source, raw, folder, ROWS, WHOLE_BYTES, MEMBERS)
    except SourceError as error:
        yield Examination(shown_name(file), source, refusal=error)


def _told(file: Path, parts: Sequence[Examination]) -> str:
    """One line of a file; the members of an archive are told together."""
    good = [part for part in parts if part.refusal is None]
    refused_n = len(parts) - len(good)
    if not good:
        return f"{parts[0].name if len(parts) == 1 else shown_name(file)}: REFUSED"
    said = [", ".join(dict.fromkeys(part.layout for part in good))]
    if len(parts) > 1:
        said.append(f"{len(parts)} members" + (f", {refused_n} REFUSED" if refused_n else ""))
    taken = dict.fromkeys(part.taken for part in good if part.taken)
    rows = f"{sum(part.read_n for part in good):,} rows"
    said.append(f"{rows} ({', '.join(taken)})" if taken else rows)
    reasons: Counter[str] = Counter()
    for part in good:
        reasons.update({aside.reason: aside.rows_n for aside in part.aside})
    if reasons:
        listed = _listed([f"{reason} {rows_n:,}" for reason, rows_n in reasons.most_common()])
        said.append(f"{reasons.total():,} set aside ({listed})")
    unread = _unread(good)
    if unread:
        said.append(
            f"{len(unread)} head{'' if len(unread) == 1 else 's'} unread ({_listed(unread)})"
        )
    name = shown_name(file) if len(parts) > 1 else parts[0].name
    return f"{name}: {', '.join(said)}"


def _unread(parts: Sequence[Examination]) -> list[str]:
    heads = (
        f"{column.sheet} {column.head}" if column.head == WHOLE_SHEET else column.head
        for part in parts
        for column in part.columns
        if column.indicator is None
    )
    return list(dict.fromkeys(heads))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
