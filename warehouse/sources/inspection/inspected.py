"""One look into one file: what it is, who reads it and how, and the configuration that reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from warehouse.dictionary.entries import read_dictionary
from warehouse.errors import SourceError
from warehouse.lake.loads import ColumnFate
from warehouse.sources.inspection.examine import (
    ROWS,
    WHOLE_BYTES,
    Examination,
    examine,
    opened,
    readings,
)
from warehouse.sources.inspection.excerpt import excerpt
from warehouse.sources.inspection.kinds import NO_TEXT, kind_of, strange_kind
from warehouse.sources.inspection.nearness import Near, known_heads, nearest_layouts
from warehouse.sources.inspection.proposal import propose
from warehouse.sources.inspection.tables import Seen, seen_tables
from warehouse.sources.reading import containers, separators
from warehouse.sources.reading.parquet import is_parquet, parquet_as_csv
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.sheets import hidden_parts, is_workbook, read_workbook
from warehouse.sources.yearbook.headers import HEADERS, UNITS
from warehouse.sources.yearbook.parsing import NO_HEAD_KNOWN, normal_head

# The settings of a file: which sources the configuration names it under, with their options.
Named = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Inspection:
    """Everything that `citytrade inspect` says of a file.

    parts : its sheets with their size, or an archive's members
    readings : what each source that recognises it makes of it, the likeliest first
    seen : its tables, where nobody recognises it
    block : the configuration that reads it, or the one proposed
    tried : what the sure lines of a proposed block would read
    needs_word : the file lacks what only its owner can say; `readings` are with the block's word
    """

    name: str
    kind: str = ""
    bytes_n: int = 0
    is_workbook: bool = False
    parts: Sequence[str] = ()
    hidden: Sequence[str] = ()
    problem: str = ""
    advice: str = ""
    readings: Sequence[Sequence[Examination]] = ()
    seen: Sequence[Seen] = ()
    near: Sequence[Near] = ()
    known_heads: tuple[int, int] = (0, 0)
    block: str = ""
    tried: Examination | None = None
    needs_word: bool = False


def inspect(path: Path, named: Callable[[Path], Named] | None = None) -> Inspection:
    """Look into a file.

    Parameters
    ----------
    named : the sources under which a configuration names a file, with their options for it

    Raises
    ------
    SourceError : no such file, or one that may not be read.
    """
    settings = {} if named is None else dict(named(path))
    with opened(path, next(iter(settings.values()), {})) as (raw, folder):
        return _inspected(raw, folder, path, list(settings))


def _inspected(raw: RawFile, folder: Path, path: Path, sources: list[str]) -> Inspection:
    said, problem = {"name": raw.name, "bytes_n": raw.path.stat().st_size}, ""
    is_archive = False
    try:
        is_archive = bool(raw.head) and containers.is_archive(raw)
    except SourceError as error:
        problem = _without_name(error)
    kind = kind_of(raw, is_archive)
    strange = strange_kind(raw)
    if not raw.head or strange is not None or problem:
        advice = "fetch it again from its publisher" if strange is None else strange[1]
        return Inspection(**said, kind=kind, problem=problem, advice=advice)  # type: ignore[arg-type]
    try:
        parts, hidden = _parts(raw, is_archive)
        found = readings(raw, folder / "readings", sources)
        about = Inspection(
            **said,  # type: ignore[arg-type]
            kind=kind,
            is_workbook=is_workbook(raw) and not is_archive,
            parts=parts,
            hidden=hidden,
            readings=found,
        )
        return _with_block(about, raw, folder, path, is_archive)
    except SourceError as error:
        return Inspection(**said, kind=kind, problem=_without_name(error))  # type: ignore[arg-type]


def _without_name(error: SourceError) -> str:
    place = f"{error.place}: " if error.place else ""
    return f"{place}{error.problem}. {error.remedy}"


def _parts(raw: RawFile, is_archive: bool) -> tuple[list[str], list[str]]:
    if is_archive:
        found = containers.members(raw)
        return [f"{member.name} ({member.entry.file_size:,} bytes)" for member in found], []
    if not is_workbook(raw):
        return [], []
    sheets = [
        f"{name} ({len(rows):,} rows, {max(map(len, rows), default=0):,} columns)"
        for name, rows in read_workbook(raw).items()
    ]
    hidden = [f"{part.sheet}: {part.head}, {part.reason}" for part in hidden_parts(raw)]
    return sheets, hidden


def _with_block(
    about: Inspection, raw: RawFile, folder: Path, path: Path, is_archive: bool
) -> Inspection:
    if about.readings and not _knows_no_head(about.readings):
        block, said = _source_block(about.readings[0], path)
        if said:
            again = RawFile(raw.path, raw.fingerprint, {**raw.options, **said}, raw.label)
            source = about.readings[0][0].source
            retried = examine(source, again, folder / "again")
            about = replace(about, readings=[retried, *about.readings[1:]], needs_word=True)
        return replace(about, block=block)
    if is_archive:
        advice = "no member of it is recognised: unpack it, and inspect the files in it"
        return replace(about, advice=advice)
    if about.kind == NO_TEXT:
        return replace(about, advice="find out with which program it was written, and export csv")
    if "JSON" in about.kind:
        advice = "of JSON only lists of administrative divisions are read, {code: name} in one"
        return replace(about, advice=advice)
    part = _as_table(raw, folder)
    try:
        seen = seen_tables(part)
    except SourceError as error:
        return replace(about, advice=_without_name(error))
    if not any(sum(bool(look.head) for look in one.looks) > 1 for one in seen):
        return replace(about, advice="it holds no table with two heads or more")
    proposal = propose(part, folder / "proposal", path, seen)
    if about.readings and proposal is None:
        return replace(about, block=_source_block(about.readings[0], path)[0])
    return replace(
        about,
        seen=seen,
        near=nearest_layouts(seen),
        known_heads=known_heads(seen),
        block=proposal.text if proposal is not None else "",
        tried=proposal.tried if proposal is not None else None,
        advice=_advice(seen, proposal is not None, proposal is not None and bool(proposal.tried)),
    )


def _knows_no_head(readings: Sequence[Sequence[Examination]]) -> bool:
    """Whether the file has the shape of a layout and none of its heads: its owner can name them."""
    refusals = [part.refusal for parts in readings for part in parts]
    return all(one is not None and NO_HEAD_KNOWN in one.problem for one in refusals)


def _as_table(raw: RawFile, folder: Path) -> RawFile:
    """A file's first rows as the readers of tables see them."""
    part, _ = excerpt(raw, folder / "excerpt", ROWS, WHOLE_BYTES)
    if is_parquet(part):
        return parquet_as_csv(part, folder / "converted")
    return separators.as_plain_csv(part, folder / "converted")


def _advice(seen: Sequence[Seen], is_proposed: bool, has_sure_lines: bool) -> str:
    if any(one.city is not None for one in seen) or is_proposed:
        if has_sure_lines:
            return (
                "if the block below says it rightly, copy it; take the # from the lines that you"
                " know, and put an indicator and a unit where ? stands"
            )
        return (
            "nobody but you can say what these columns count: copy the block below, and in the"
            " lines that you want put an indicator (citytrade describe city_year lists them) and a"
            " unit, and take the # away"
        )
    joined = next((look for one in seen if (look := one.best("cities_with_years"))), None)
    if joined is not None:
        return (
            f"the column {joined.head!r} holds city and year in one: split it into two columns, and"
            " inspect the file again"
        )
    if any(one.best("provinces") is not None for one in seen):
        return (
            "it holds provinces, not cities: of provinces only prices, the marketisation index and"
            " downloads of the statistics office's query site are read"
        )
    return (
        "no column holds names of cities, so that it is no table of cities; compare it with the"
        " layouts in README.md, or with citytrade template SOURCE"
    )


def _source_block(parts: Sequence[Examination], path: Path) -> tuple[str, dict[str, str]]:
    """The lines of the configuration under which a recognised file is read; and, where it lacks
    what only its owner can say, settings with which the rest of it can be looked at.
    """
    source = parts[0].source
    file = json.dumps(str(path.absolute()), ensure_ascii=False)
    refusals = [str(part.refusal) for part in parts if part.refusal is not None]
    if any("tells exports from imports" in refusal for refusal in refusals):
        lines = [
            f"[sources.{source}]",
            f"files = [{file}]",
            'flow = "export"      # or "import": the file does not say it, and you must',
        ]
        return "\n".join(lines), {"flow": "export"}
    if any("which yearbook it is from" in refusal for refusal in refusals):
        lines = [
            "[sources.yearbook.tables.mine]",
            f"files = [{file}]",
            "yearbook = 2024      # put the yearbook's own year here: it prints the year before",
        ]
        return "\n".join(lines), {"table": json.dumps({"yearbook": 2024})}
    return f"[sources.{source}]\nfiles = [{file}]", {}


def unit_of(part: Examination, column: ColumnFate) -> str:
    """The unit in which a column's numbers were read, with that of the indicator where it differs;
    empty where nothing says it.
    """
    if column.indicator is None:
        return ""
    entry = read_dictionary().get(column.indicator)
    base = entry.unit if entry is not None and entry.kind == "indicator" else ""
    head = normal_head(column.head)
    factors = {
        factor
        for (header, indicator), factor in part.factors.items()
        if indicator == column.indicator and (header == head or header in head)
    } or {
        factor for (_, indicator), factor in part.factors.items() if indicator == column.indicator
    }
    if len(factors) != 1:
        return base
    factor = factors.pop()
    kind = next((UNITS[h.unit][0] for h in HEADERS if h.indicator == column.indicator), "")
    named = [name for name, (counts, of) in UNITS.items() if counts == kind and of == factor]
    unit = named[0] if named else f"{factor:g}"
    return unit if factor == 1 or not base else f"{unit} = {factor:,g} {base}"
