"""What a look into a file found, for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flows.telling.printing import table
from warehouse.sources.inspection.examine import Examination
from warehouse.sources.inspection.inspected import Inspection
from warehouse.sources.inspection.nearness import Near
from warehouse.sources.inspection.tables import Look, Seen

MOST_HEADS, MOST_CITIES, MOST_SHEETS = 200, 20, 30


def inspection_text(found: Inspection) -> str:
    return _printable("\n".join(_lines(found)))


def _printable(text: str) -> str:
    """Without what a terminal would obey: names and cells are a stranger's."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in text)


def _lines(found: Inspection) -> Iterator[str]:
    yield found.name
    yield f"  kind: {found.kind}, {found.bytes_n:,} bytes"
    if found.parts:
        yield from _listed("sheets" if found.is_workbook else "members", found.parts)
    for hidden in found.hidden[:MOST_SHEETS]:
        yield f"  hidden, not read: {hidden}"
    if found.problem:
        yield f"  not readable: {found.problem}"
    if found.needs_word:
        yield "  it does not say all: what follows is read with the configuration at the end"
    for parts in found.readings[:1]:
        for part in parts:
            yield from _examined(part, len(parts) > 1)
    others = [parts[0] for parts in found.readings[1:]]
    if others:
        said = ", ".join(f"{one.source} ({one.layout})" for one in others)
        yield f"  also recognised by: {said}; it is read by the source that you name it under"
    if not found.readings:
        yield from _unrecognised(found)
    elif found.advice:
        yield f"  what to do: {found.advice}"
        if found.tried is not None:
            yield from _tried_lines(found.tried)
    if found.block:
        yield "  configuration:"
        yield from (f"    {line}".rstrip() for line in found.block.split("\n"))


def _listed(what: str, names: Sequence[str]) -> Iterator[str]:
    more = f" and {len(names) - MOST_SHEETS} more" if len(names) > MOST_SHEETS else ""
    yield f"  {what}: {', '.join(names[:MOST_SHEETS])}{more}"


def _examined(part: Examination, is_member: bool) -> Iterator[str]:
    name = f"{part.name}: " if is_member else ""
    if part.refusal is not None:
        as_what = f" as {part.source} ({part.layout})" if part.layout else f" by {part.source}"
        yield f"  {name}refused{as_what}: {part.refusal}"
    else:
        taken = f"; {part.taken} stand for the whole" if part.taken else ""
        yield f"  {name}recognised: {part.source}, layout {part.layout}{taken}"
        accepted = sum(part.tables.values())
        yield (
            f"  rows: {part.read_n:,} read, {accepted:,} would be accepted,"
            f" {part.aside_n:,} set aside"
        )
    if part.years is not None:
        yield f"  years: {part.years[0]} to {part.years[1]}"
    if part.cities_n is not None:
        yield f"  cities: {part.cities_n} found, {len(part.lost)} names match none"
        for lost in part.lost[:MOST_CITIES]:
            yield f"    not found: {lost}"
        if len(part.lost) > MOST_CITIES:
            yield f"    and {len(part.lost) - MOST_CITIES} more"
    if part.columns:
        yield "  heads:"
        yield from _indented(_heads_table(part))
    if part.aside:
        rows = [(one.reason, one.rows_n, one.examples[0]) for one in part.aside]
        yield "  set aside:"
        yield from _indented(table(("reason", "rows", "for example"), rows, cell_width=100))


def _heads_table(part: Examination) -> str:
    from warehouse.sources.inspection.inspected import unit_of

    has_sheets = any(column.sheet for column in part.columns)
    rows = []
    for column in part.columns[:MOST_HEADS]:
        unit = unit_of(part, column)
        row = (column.head, column.indicator or "not read", unit, column.reason)
        rows.append((column.sheet, *row) if has_sheets else row)
    names = ("head", "taken for", "unit", "remark")
    text = table(("sheet", *names) if has_sheets else names, rows, cell_width=90)
    more = len(part.columns) - MOST_HEADS
    return f"{text}\nand {more:,} more" if more > 0 else text


def _indented(text: str) -> Iterator[str]:
    return (f"    {line}" for line in text.split("\n"))


def _unrecognised(found: Inspection) -> Iterator[str]:
    if not found.seen:
        if found.advice:
            yield f"  not read: {found.advice}"
        return
    yield "  recognised: by no source"
    for near in found.near:
        yield _near_line(near)
    known, unitless = found.known_heads
    if known or unitless:
        said = f", {unitless} more lack a unit that they can have" if unitless else ""
        yield f"  near: of the yearbooks' heads it has {known} with their unit{said}"
    for seen in found.seen[:MOST_SHEETS]:
        yield from _seen_lines(seen, len(found.seen) > 1)
    if found.advice:
        yield f"  what to do: {found.advice}"
    if found.tried is not None:
        yield from _tried_lines(found.tried)


def _near_line(near: Near) -> str:
    total = len(near.found) + len(near.missing)
    missing = ", ".join(near.missing[:8]) + (" …" if len(near.missing) > 8 else "")
    return (
        f"  near: {near.source} ({near.layout}) has {total} heads in its template, of which this"
        f" file has {', '.join(near.found[:8])}; it lacks {missing or 'none'}"
    )


def _seen_lines(seen: Seen, is_one_of_many: bool) -> Iterator[str]:
    from warehouse.sources.inspection.tables import years_of

    named = f"sheet {seen.table.name}" if seen.table.name else "table"
    years = years_of(seen)
    said = [f"heads in line {seen.head_at + 1}"]
    if years is not None:
        across = " as heads" if seen.has_years_across else ""
        said.append(f"years {years[0]} to {years[1]}{across}")
    yield f"  {named}: {', '.join(said)}"
    if is_one_of_many and seen.best("cities") is None:
        return
    rows = [(look.head or f"(column {look.index + 1})", *_looks_like(look)) for look in seen.looks]
    shown = table(("head", "looks like", "for example", "perhaps"), rows[:MOST_HEADS], 60)
    yield from _indented(shown)


def _looks_like(look: Look) -> tuple[str, str, str]:
    """What a column looks like, an example, and what its head might mean."""
    from warehouse.sources.inspection.meanings import meaning

    example = ", ".join(look.examples)
    for what, share in (
        ("cities", look.cities), ("provinces", look.provinces), ("years", look.years),
        ("codes of places", look.codes), ("units", look.units),
    ):  # fmt: skip
        if share >= 0.6:
            return f"{what} ({share:.0%})", example, ""
    if look.filled == 0:
        return "nothing", "", ""
    if look.numbers < 0.6:
        return f"text, {look.distinct_n:,} different", example, ""
    found = meaning(look.head) if look.head else None
    if found is None:
        return f"numbers {look.range_text}", "", ""
    taken = f"{found.indicator} in {found.unit}" if found.indicator else ", ".join(found.near)
    return f"numbers {look.range_text}", "", taken or "no like name"


def _tried_lines(tried: Examination) -> Iterator[str]:
    if tried.refusal is not None:
        yield f"  the block below was tried and refused: {tried.refusal}"
        return
    cities = f", {tried.cities_n} cities" if tried.cities_n is not None else ""
    yield (
        f"  the block below was tried: {tried.read_n:,} values,"
        f" {sum(tried.tables.values()):,} would be accepted, {tried.aside_n:,} set aside{cities}"
    )
    for aside in tried.aside:
        yield f"    {aside.reason}: {aside.rows_n:,}, for example {aside.examples[0]}"
