"""The configuration that would read a table that no layout knows, proposed by its content.

What the heads or the content prove stands in the block as it is; what they only suggest stands
there behind a #, for a person to decide. A block that is proposed was tried: the reader of own
tables has read the file by it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from warehouse.errors import CitytradeError
from warehouse.settings.tables import parse_tables
from warehouse.sources.inspection.examine import Examination, examine
from warehouse.sources.inspection.meanings import Meaning, fitting_units, meaning
from warehouse.sources.inspection.shapes import Shape, distinct, shape_of
from warehouse.sources.inspection.tables import MOSTLY, Look, Seen
from warehouse.sources.reading.rawfile import RawFile

MOST_COLUMNS = 60  # that a block lists


@dataclass(frozen=True)
class Proposal:
    """A block of the configuration, and what its active lines would read; None where nothing in it
    is sure.
    """

    text: str
    tried: Examination | None
    lacks_year: bool = False


def propose(raw: RawFile, folder: Path, path: Path, seen: Sequence[Seen]) -> Proposal | None:
    """A block for the first table that holds cities, or None where no table does."""
    listed = listed_names(seen)
    if listed is not None:
        return Proposal("\n".join(_sheets_block(path, seen, listed)), None)
    shape = shape_of(seen, path)
    if shape is None:
        return None
    slug = _slug(path)
    active, passive = _columns(shape, path)
    keys = ", ".join(f"{key} = {_quoted(head)}" for key, head in shape.keys)
    asked = "      # no column holds years: say where they stand" if shape.lacks_year else ""
    lines = [*_opening(slug, path), f"keys = {{ {keys} }}{asked}"]
    if shape.sheets:
        lines.append(f"sheets = [{', '.join(_quoted(name) for name in shape.sheets)}]")
    lines += [SCOPE_LINE, "", f"[sources.yearbook.tables.{slug}.columns]", *active, *passive]
    can_be_tried = active and not shape.lacks_year
    tried = _tried(raw, folder, "\n".join(lines), slug) if can_be_tried else None
    return Proposal("\n".join(lines), tried, shape.lacks_year)


SCOPE_LINE = 'scope = "unstated"      # or "city" (全市), "district" (市辖区), if you know'


def _opening(slug: str, path: Path) -> list[str]:
    return [f"[sources.yearbook.tables.{slug}]", f"files = [{_quoted(str(path.absolute()))}]"]


def listed_names(seen: Sequence[Seen]) -> tuple[Seen, Look, Look] | None:
    """A sheet that lists cities in Chinese beside names in another writing, under which other
    sheets have them with years as heads; and its two columns.
    """
    for one in seen:
        chinese = [look for look in one.looks if look.cities >= MOSTLY and not _is_foreign(look)]
        others = [look for look in one.looks if look.head and _is_foreign(look)]
        for look in others if chinese else []:
            names = set(distinct(one, look, None))
            if len(names) > 1 and any(
                other.has_years_across and _first_cells(other) & names
                for other in seen
                if other is not one
            ):
                return one, look, chinese[0]
    return None


def _is_foreign(look: Look) -> bool:
    """Whether a column of texts is in another writing."""
    return look.numbers < 1 - MOSTLY and all(example.isascii() for example in look.examples)


def _first_cells(seen: Seen) -> set[str]:
    rows = seen.table.rows[seen.head_at + 1 :]
    return {str(row[0]).strip() for row in rows if row and str(row[0]).strip()}


def _sheets_block(
    path: Path, seen: Sequence[Seen], listed: tuple[Seen, Look, Look]
) -> Iterator[str]:
    slug, (sheet, foreign, city) = _slug(path), listed
    names = f"sheet = {_quoted(sheet.table.name)}, from = {_quoted(foreign.head)}"
    yield from _opening(slug, path)
    yield 'keys = { years = "heads" }'
    yield f"city_names = {{ {names}, to = {_quoted(city.head)} }}"
    yield SCOPE_LINE
    yield ""
    yield f"[sources.yearbook.tables.{slug}.columns]"
    for one in [one for one in seen if one.has_years_across][:MOST_COLUMNS]:
        yield _suggestion(one.table.name, None, meaning(one.table.name))


def _tried(raw: RawFile, folder: Path, text: str, slug: str) -> Examination:
    """What the reader of own tables makes of the file by a block.

    Raises
    ------
    AssertionError : the block is not what the configuration takes, which is a fault of this module.
    """
    given = tomllib.loads(text)["sources"]["yearbook"]["tables"]
    try:
        told = parse_tables("[sources.yearbook]", "yearbook", given, str)[0].told
    except CitytradeError as error:
        raise AssertionError(f"{error}\n{text}") from error
    option = {"table": json.dumps(told, ensure_ascii=False, sort_keys=True)}
    mapped = RawFile(raw.path, raw.fingerprint, {**raw.options, **option}, raw.label)
    return examine("yearbook", mapped, folder / f"tried_{slug}")[0]


def _columns(shape: Shape, path: Path) -> tuple[list[str], list[str]]:
    """Lines of columns that are sure, and lines of the others behind a #."""
    active: dict[str, str] = {}
    passive = []
    for head in shape.heads[:MOST_COLUMNS]:
        found = meaning(head.said)
        if not found.near and shape.is_titled and found.indicator is None:
            found = replace(found, near=meaning(path.stem).near)
        name = f"district_{found.indicator}" if found.scope == "district" else found.indicator
        if name is not None and name not in active and (found.unit or shape.has_units):
            unit = f", {_quoted(found.unit)}" if found.unit else ""
            said = f"      # {head.look.label}" if head.look is not None and head.look.label else ""
            active[name] = f"{name} = [{_quoted(head.text)}{unit}]{said}"
        else:
            passive.append(_suggestion(head.text, head.look, found))
    if len(shape.heads) > MOST_COLUMNS:
        passive.append(f"# and {len(shape.heads) - MOST_COLUMNS:,} more columns")
    return list(active.values()), passive


def _suggestion(head: str, look: Look | None, found: Meaning) -> str:
    unit = found.unit or "?"
    said = "" if look is None else f"    # {look.range_text}"
    if look is not None and look.label:
        said += f"; {look.label}"
    if not found.near:
        why = found.reason if found.reason.startswith("looks like") else ""
        said += f"{'; ' if said else '    # '}{why}" if why else ""
        return f"# {'?'} = [{_quoted(head)}, {_quoted(unit)}]{said}"
    first, *others = found.near
    units = fitting_units(first)
    fits = f" in {', '.join(units)}" if units and unit not in units else ""
    more = f" or {', '.join(others)}" if others else ""
    hint = f"{said}; " if said else "    # "
    shown = unit if unit in units else "?"
    return f"# {first} = [{_quoted(head)}, {_quoted(shown)}]{hint}perhaps{more or ' so'}{fits}"


def _slug(path: Path) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", path.stem.lower()).strip("_")[:40]
    return plain if re.search("[a-z]", plain) else "mine"


def _quoted(text: str) -> str:
    """A text as TOML writes it, on one line."""
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08X}" for sign in escaped)
