"""Change the heads of real sheets at random, as typists, printers and programs do.

A changed head is read as the same quantity in the same unit, or named as unread, and never as
another quantity.

python -m tests.faults.heads --seed 1 --sheets 2000    prints what became of them, by kind of change

The sheets are those of the folder in CITYTRADE_REAL_DATA, and where there is none, sheets with
every head that is known, in each style.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from warehouse.dictionary.places import city_name, city_names
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.sheets import is_workbook
from warehouse.sources.yearbook import TABLES, across, official, panels
from warehouse.sources.yearbook.cells import Column
from warehouse.sources.yearbook.headers import HEADERS, UNITS, panel_head, sheet_head
from warehouse.sources.yearbook.official_lists import blocks_of, scope_in
from warehouse.sources.yearbook.parsing import find_header, normal_head, split_glued, split_head
from warehouse.sources.yearbook.tables import Table, tables_of

Rows = list[list[object]]
# What a column was read as: indicator, scope, factor; by the place of its head, or for indicators
# in rows by the line.
Read = dict[tuple[int, int | None], tuple[str, str, float]]
FIRST_ROWS = 400
HEAD_ROWS = 5
WIDE = {
    ord(a): ord(b) for a, b in zip("0123456789%()=&", "０１２３４５６７８９％（）＝＆", strict=True)
}
FOOTNOTES = ("①", "②", "*", "＊", "[1]", "［2］", "〔3〕", "※", "△")
BLANKS = (" ", "\u3000", "\n", "\u00a0", "\u200b", "_x000D_", "\r\n")
NUMBERS = ("1.", "2、", "(3)", "（4）", "#", "其中：", "其中:")
# Words that make another quantity of the one before or after them.
CHANGING_BEFORE = ("人均", "每万人", "单位面积", "新增", "累计完成", "上年")
CHANGING_AFTER = ("增长率", "增速", "占GDP比重", "占比", "指数", "比上年增长", "计划数", "排名")


def footnote(rng: random.Random, head: str) -> str:
    return head + rng.choice(FOOTNOTES)


def blanks(rng: random.Random, head: str) -> str:
    at = rng.randrange(len(head) + 1)
    return head[:at] + rng.choice(BLANKS) + head[at:]


def full_width(rng: random.Random, head: str) -> str:
    return head.translate(WIDE)


def brackets(rng: random.Random, head: str) -> str:
    left, right = rng.choice(("【】", "（）", "[]", "［］", "{}"))
    return head.replace("(", left).replace("（", left).replace(")", right).replace("）", right)


def numbering(rng: random.Random, head: str) -> str:
    return rng.choice(NUMBERS) + head


def unit_said(rng: random.Random, head: str) -> str:
    """(万元) as (单位：万元), ，万元, /万元."""
    unit = unit_of(head)
    if unit is None or not head.endswith((f"({unit})", f"（{unit}）")):
        return head
    stem = head[: -len(unit) - 2]
    return stem + rng.choice(("(单位:{})", "（单位：{}）", ",{}", "，{}", "/{}", "_{}")).format(
        unit
    )


def english(rng: random.Random, head: str) -> str:
    return (
        head
        + rng.choice(("", " ", "\n"))
        + rng.choice(("Total Population", "Gross Value", "Number"))
    )


def other_unit(rng: random.Random, head: str) -> str:
    """Another unit that the quantity can have: the factor follows it."""
    unit = unit_of(head)
    if unit is None:
        return head
    same = [name for name, (kind, _) in UNITS.items() if kind == UNITS[unit][0] and name != unit]
    return _with_unit(head, unit, rng.choice(same)) if same else head


def foreign_unit(rng: random.Random, head: str) -> str:
    unit = unit_of(head)
    if unit is None:
        return head
    kind = UNITS[unit][0]
    own = {kind, "usd"} if "口额" in head else {kind}  # trade is printed in two currencies
    return _with_unit(head, unit, rng.choice([n for n, (k, _) in UNITS.items() if k not in own]))


def no_unit(rng: random.Random, head: str) -> str:
    unit = unit_of(head)
    return head if unit is None else head.replace(f"({unit})", "").replace(f"（{unit}）", "")


def changed_before(rng: random.Random, head: str) -> str:
    return rng.choice(CHANGING_BEFORE) + head


def changed_after(rng: random.Random, head: str) -> str:
    """The word stands before the unit, where a unit is."""
    word, unit = rng.choice(CHANGING_AFTER), unit_of(head)
    at = head.find(unit) - 1 if unit is not None else -1
    return head + word if at <= 0 else head[:at] + word + head[at:]


def cut(rng: random.Random, head: str) -> str:
    """The last signs of the stem are lost."""
    return head[: max(1, len(head) - rng.randrange(1, 4))]


def swapped(rng: random.Random, head: str) -> str:
    at = rng.randrange(max(1, len(head) - 1))
    return head[:at] + head[at : at + 2][::-1] + head[at + 2 :]


@dataclass(frozen=True)
class Change:
    """A kind of change: `keeps` says whether the quantity and its unit stay what they are."""

    make: Callable[[random.Random, str], str]
    keeps: bool
    keeps_indicator: bool = True
    may_be_read: bool = True


CHANGES: Mapping[str, Change] = {
    "footnote": Change(footnote, True),
    "blanks": Change(blanks, True),
    "full_width": Change(full_width, True),
    "brackets": Change(brackets, True),
    "numbering": Change(numbering, True),
    "unit_said": Change(unit_said, True),
    "english": Change(english, True),
    "other_unit": Change(other_unit, False),
    "foreign_unit": Change(foreign_unit, False, may_be_read=False),
    "no_unit": Change(no_unit, False),
    "changed_before": Change(changed_before, False, keeps_indicator=False),
    "changed_after": Change(changed_after, False, keeps_indicator=False),
    "cut": Change(cut, False),
    "swapped": Change(swapped, False),
}


def unit_of(head: str) -> str | None:
    return (split_glued(head) or split_head(head)).unit


def _with_unit(head: str, old: str, new: str) -> str:
    at = head.rfind(old)
    return head if at < 0 else head[:at] + new + head[at + len(old) :]


@dataclass
class Sheet:
    """A real sheet's first rows, the layout that reads it, and what each head was read as."""

    name: str
    layout: str
    table: Table
    read: Read

    def heads(self) -> list[tuple[int, int]]:
        """Where the heads of what is read stand, by row and column: those over a column, or the one
        in a row.
        """
        places = []
        for at, column in self.read:
            if column is None:
                cells = [(at, index) for index in range(len(self.table.rows[at]))]
            else:
                cells = [(row, column) for row in range(at, min(at + HEAD_ROWS, self.rows_n))]
            places += [place for place in cells if _is_head(self.cell(*place))]
        return places

    @property
    def rows_n(self) -> int:
        return len(self.table.rows)

    def cell(self, at: int, column: int) -> object:
        row = self.table.rows[at]
        return row[column] if column < len(row) else ""


def _is_head(cell: object) -> bool:
    """Whether a text over or beside numbers is a head, and no scope and no city."""
    if not isinstance(cell, str) or not re.search(r"[^\x00-\x7f]", normal_head(cell)):
        return False
    return scope_in(cell) is None and city_name(cell) not in city_names()


LAYOUTS = (official.VINTAGE, "panel", across.INDICATOR_ROWS)


def read_as(table: Table, layout: str) -> Read:
    """What the columns of a table are read as by one layout.

    Raises
    ------
    SourceError : the layout refuses the table.
    """
    said = {"table": json.dumps({"yearbook": 2012})}
    raw = RawFile(Path("sheet.xlsx"), "0" * 64, said)
    if layout == official.VINTAGE:
        return _read_official(raw, table)
    if layout == "panel":
        return _read_panel(raw, table)
    return _read_rows(table)


def _read_official(raw: RawFile, table: Table) -> Read:
    rows = [list(row) for row in table.rows]
    return {
        (block.head_from, column.index): _as_read(column)
        for block in blocks_of(raw, {table.name: rows})
        for column in official._columns(raw, block)[0]
    }


def _read_panel(raw: RawFile, table: Table) -> Read:
    found_n: Read = {}
    for found in panels._found([table]):
        for block in panels._blocks(raw, found):
            delivery = Delivery(raw, "", Path(), TABLES)
            for column in panels._columns(raw, delivery, found, block)[0]:
                found_n[found.head_at, column.index] = _as_read(column)
    return found_n


def _read_rows(table: Table) -> Read:
    read: Read = {}
    for found in across._found(table):
        if found.layout != across.INDICATOR_ROWS:
            continue
        cells, _ = across.cells_of(found, across._as_it_says)
        for line, indicator, scope, factor in zip(
            cells["line"], cells["indicator"], cells["scope"], cells["factor"], strict=True
        ):
            read[line - 1, None] = (indicator, scope, factor)
    return read


def _as_read(column: Column) -> tuple[str, str, float]:
    assert column.factor is not None
    return column.indicator, column.scope, column.factor


def sheets_of(folder: Path | None) -> list[Sheet]:
    """The sheets that are read, with what they are read as; made ones where there is no folder."""
    tables = _real_tables(folder) if folder is not None else _made_tables()
    sheets = []
    for name, table in tables:
        for layout in LAYOUTS:
            try:
                read = read_as(table, layout)
            except SourceError:
                continue
            if read:
                sheets.append(Sheet(name, layout, table, read))
                break
    return sheets


def _real_tables(folder: Path) -> Iterator[tuple[str, Table]]:
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.suffix.lower() not in (".xlsx", ".xls", ".csv", ".dta"):
            continue
        raw = RawFile(file, f"{file}")
        if file.stat().st_size > 20_000_000 and not is_workbook(raw):
            continue
        try:
            for table in tables_of(raw):
                yield (
                    file.name,
                    Table(table.name, table.kind, table.rows[:FIRST_ROWS], table.labels),
                )
        except SourceError:
            continue  # no table: other tests look at what is said of it


def _made_tables() -> Iterator[tuple[str, Table]]:
    """Every known head in each style, over one row of values, twenty heads a sheet."""
    for at in range(0, len(HEADERS), 20):
        known = HEADERS[at : at + 20]
        values: list[object] = ["杭州市", *(7.0 for _ in known)]
        scopes: list[object] = ["", *("全市" for _ in known)]
        yield (
            "made",
            Table(
                f"official {at}",
                "sheet",
                [["中国城市统计年鉴2012"], ["城市", *map(sheet_head, known)], scopes, values],
            ),
        )
        heads = [panel_head(header, "city") for header in known]
        yield (
            "made",
            Table(
                f"panel {at}", "sheet", [["城市", "年份", *heads], ["杭州市", 2011.0, *values[1:]]]
            ),
        )
        plain = [f"{header.stem.replace('_', '')}({header.unit})" for header in known]
        yield (
            "made",
            Table(
                f"plain {at}", "sheet", [["城市", "年份", *plain], ["杭州市", 2011.0, *values[1:]]]
            ),
        )
        yield (
            "made",
            Table(
                f"rows {at}",
                "sheet",
                [
                    ["指标名称(单位)", "地区", 2011.0, 2010.0],
                    *([h, "杭州市", 1.0, 2.0] for h in plain),
                ],
            ),
        )


@dataclass
class Outcome:
    """Counts by kind of change, and every head that was read as what it is not."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def changed(sheet: Sheet, rng: random.Random, kind: str) -> tuple[Table, str, str, int] | None:
    """The sheet with one of its heads changed; the head before and after, and its row."""
    places = sheet.heads()
    if not places:
        return None
    at, column = rng.choice(places)
    before = str(sheet.table.rows[at][column])
    after = CHANGES[kind].make(rng, before)
    if after == before:
        return None
    rows: list[Sequence[object]] = list(sheet.table.rows)
    rows[at] = [after if index == column else cell for index, cell in enumerate(rows[at])]
    return Table(sheet.table.name, sheet.table.kind, rows, sheet.table.labels), before, after, at


def judge(sheet: Sheet, rng: random.Random, kind: str, outcome: Outcome) -> None:
    """Change one head and compare what all heads are read as, before and after."""
    made = changed(sheet, rng, kind)
    if made is None:
        return
    table, before, after, _ = made
    try:
        read = read_as(table, sheet.layout)
    except SourceError:
        outcome.counts[kind, "sheet refused"] += 1
        return
    fate = "same"
    for key, was in sheet.read.items():
        now = read.get(key)
        if now == was:
            continue
        fate = _fate(kind, was, now, after)
        if fate == "WRONG":
            outcome.wrong.append(f"{kind}: {sheet.name}: {before!r} {was} as {after!r} {now}")
            break
    else:
        passed_over = not CHANGES[kind].keeps_indicator and read == sheet.read
        if passed_over and _was_read(sheet, before):
            fate = "WRONG"  # the word makes another quantity of it
            outcome.wrong.append(f"{kind}: {sheet.name}: {after!r} still read as {before!r}")
    outcome.counts[kind, fate] += 1


def _was_read(sheet: Sheet, head: str) -> bool:
    found = find_header((split_glued(head) or split_head(head)).key)
    return found is not None and any(was[0] == found.indicator for was in sheet.read.values())


def _fate(
    kind: str, was: tuple[str, str, float], now: tuple[str, str, float] | None, after: str
) -> str:
    if now is None:
        return "unread"
    change = CHANGES[kind]
    if change.keeps or not change.may_be_read:
        return "WRONG"
    if kind == "other_unit" and now[:2] == was[:2]:
        unit = unit_of(after)
        return "other unit" if unit is not None and UNITS[unit][1] == now[2] else "WRONG"
    if now[0] != was[0]:
        return "WRONG"
    if unit_of(after) is None:
        return "unit by rule"  # of labour sheets, or from the line above the table
    return "same" if now == was else "WRONG"


def run(sheets: Sequence[Sheet], seed: int, n: int) -> Outcome:
    outcome, rng = Outcome(), random.Random(seed)
    kinds = list(CHANGES)
    for at in range(n):
        judge(rng.choice(sheets), rng, kinds[at % len(kinds)], outcome)
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sheets", type=int, default=2_000, help="how many changed sheets")
    given = parser.parse_args()
    folder = os.environ.get("CITYTRADE_REAL_DATA")
    sheets = sheets_of(Path(folder) if folder else None)
    heads_n = sum(len(sheet.read) for sheet in sheets)
    print(f"{len(sheets)} sheets with {heads_n:,} heads that are read; seed {given.seed}")
    outcome = run(sheets, given.seed, given.sheets)
    fates = sorted({fate for _, fate in outcome.counts})
    print("kind".ljust(16), *(fate.rjust(18) for fate in fates))
    for kind in CHANGES:
        print(kind.ljust(16), *(str(outcome.counts[kind, fate]).rjust(18) for fate in fates))
    for line in outcome.wrong:
        print(f"WRONG {line}")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
