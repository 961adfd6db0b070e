"""Random changes of everything that a release is made from: raw files, models, macros, measures,
tests, seeds, variables, years. Each is one that somebody might make in an afternoon.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MEASURES = "analysis/measures"
NUMBER = re.compile(rb"(?<![\w.'\"-])(\d+\.\d+)(?![\w.])")
ROUNDED = re.compile(rb"\bround\(([^()]+), (\d+)\)")
VARIABLES = {
    "quality_records_minimum": (60, 80, 120),
    "use_interpolated": ("true", "false"),
    "quality_first_year": (2003, 2004),
    "quality_last_year": (2014, 2015),
    "quality_elasticity": ("published", "estimated"),
    "input_output_tables": ('"icio 2018"', '"icio 2021"', '""'),
}


@dataclass(frozen=True)
class Place:
    """Where changes are made: a copy of the project, a world, and the configuration over it."""

    project: Path
    world: Path
    config: Path


@dataclass(frozen=True)
class Change:
    """A change that was made, in words, and what every file held before; None of a new one."""

    said: str
    before: dict[Path, bytes | None]

    def undo(self) -> None:
        for file, content in self.before.items():
            if content is None:
                file.unlink()
            else:
                file.write_bytes(content)


def change(place: Place, seed: int) -> Change:
    """Make one change, chosen by a number; another number is another change."""
    chance = random.Random(seed)
    while True:
        made = chance.choice(KINDS)(place, chance)
        if made is not None:
            return made


def _edited(file: Path, content: bytes, said: str) -> Change | None:
    before = file.read_bytes() if file.exists() else None
    if before == content:
        return None
    file.write_bytes(content)
    return Change(said, {file: before})


def _line_lost(file: Path, chance: random.Random) -> Change | None:
    lines = file.read_bytes().splitlines(keepends=True)
    if len(lines) < 8:
        return None
    at = chance.randrange(4, len(lines))
    return _edited(file, b"".join(lines[:at] + lines[at + 1 :]), f"{file.name} lost line {at + 1}")


def _raw_csv(place: Place, chance: random.Random) -> Change | None:
    """A row is gone from a text file of any source: as likely of each source."""
    folders = sorted({file.parent for file in place.world.glob("*/*.csv")})
    return _line_lost(chance.choice(sorted(chance.choice(folders).glob("*.csv"))), chance)


def _raw_sheet(place: Place, chance: random.Random) -> Change | None:
    """A number in a workbook is another."""
    import openpyxl

    file = chance.choice(
        [f for f in sorted(place.world.glob("*/*.xlsx")) if f.stat().st_size < 300_000]
    )
    before, book = file.read_bytes(), openpyxl.load_workbook(file)
    sheet = book.worksheets[-1]
    numbers = [cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, float)]
    if not numbers:
        return None
    cell = chance.choice(numbers)
    cell.value = cell.value * 1.01
    book.save(file)
    return Change(f"{file.name}: another number in {cell.coordinate}", {file: before})


def _raw_gone(place: Place, chance: random.Random) -> Change | None:
    """A file of a source that has several is gone."""
    folders = [f for f in sorted(place.world.iterdir()) if f.is_dir() and len([*f.iterdir()]) > 3]
    file = chance.choice(sorted(chance.choice(folders).iterdir()))
    before = file.read_bytes()
    file.unlink()
    return Change(f"{file.name} is gone", {file: before})


def _one_of(folder: Path, pattern: str, chance: random.Random) -> Path:
    return chance.choice([file for file in sorted(folder.rglob(pattern)) if file.is_file()])


def _commented(file: Path, chance: random.Random) -> Change | None:
    mark = b"# " if file.suffix in (".py", ".yml") else b"-- "
    note = mark + f"edited {chance.randrange(10**6)}\n".encode()
    return _edited(file, file.read_bytes().rstrip() + b"\n" + note, f"{file.name}: a comment")


def _renumbered(file: Path, chance: random.Random) -> Change | None:
    """A number with a decimal point is a little other, or one is rounded to a digit less."""
    content = file.read_bytes()
    found = [*NUMBER.finditer(content), *ROUNDED.finditer(content)]
    if not found:
        return None
    one = chance.choice(found)
    group = 2 if one.re is ROUNDED else 1
    old = one.group(group)
    new = str(int(old) - 1) if group == 2 else repr(float(old) * 1.01 + 0.001)
    start, end = one.span(group)
    said = f"{file.name}: {old.decode()} is {new}"
    return _edited(file, content[:start] + new.encode() + content[end:], said)


def _code(folder: str, pattern: str) -> Callable[[Place, random.Random], Change | None]:
    def edit(place: Place, chance: random.Random) -> Change | None:
        file = _one_of(place.project / folder, pattern, chance)
        return chance.choice((_commented, _renumbered, _renumbered))(file, chance)

    return edit


def _as_view(place: Place, chance: random.Random) -> Change | None:
    """A table of the middle becomes a view."""
    file = _one_of(place.project / "dbt_project/models/intermediate", "*.sql", chance)
    content = file.read_bytes()
    if b"config(" in content:
        return None
    said = f"{file.name} is a view"
    return _edited(file, b"{{ config(materialized='view') }}\n" + content, said)


def _new_model(place: Place, chance: random.Random) -> Change | None:
    """A model that nobody reads."""
    from_file = _one_of(place.project / "dbt_project/models/indices", "*.sql", chance)
    name = f"idx_extra_{chance.randrange(10**6)}"
    text = (
        "{{ config(contract={'enforced': false}) }}\n"
        f"select * from {{{{ ref('{from_file.stem}') }}}}\n"
    )
    file = from_file.with_name(f"{name}.sql")
    return _edited(file, text.encode(), f"{name} is new, on {from_file.stem}")


def _described(place: Place, chance: random.Random) -> Change | None:
    """A description of a column or model says more."""
    file = _one_of(place.project / "dbt_project/models", "*.yml", chance)
    parts = file.read_bytes().split(b'description: "')
    if len(parts) < 2:
        return None
    at = chance.randrange(1, len(parts))
    parts[at] = parts[at].replace(b". ", b"; as edited. ", 1) if b". " in parts[at] else parts[at]
    return _edited(file, b'description: "'.join(parts), f"{file.name}: a description")


def _seed_line(place: Place, chance: random.Random) -> Change | None:
    return _line_lost(_one_of(place.project / "dbt_project/seeds", "*.csv", chance), chance)


def _variable(place: Place, chance: random.Random) -> Change | None:
    file = place.project / "dbt_project" / "dbt_project.yml"
    name = chance.choice(sorted(VARIABLES))
    value = str(chance.choice(VARIABLES[name]))
    pattern = re.compile(rf"^  {name}: .*$", re.MULTILINE)
    text = pattern.sub(f"  {name}: {value}", file.read_text(encoding="utf-8"))
    return _edited(file, text.encode(), f"{name} is {value}")


def _years(place: Place, chance: random.Random) -> Change | None:
    text = place.config.read_text(encoding="utf-8")
    name = chance.choice(("first_year", "last_year"))
    year = chance.choice((2000, 2001) if name == "first_year" else (2020, 2021))
    text = re.sub(rf"^{name} = \d+$", f"{name} = {year}", text, flags=re.MULTILINE)
    return _edited(place.config, text.encode(), f"{name} is {year}")


MODELS = _code("dbt_project/models", "*.sql")
KINDS: list[Callable[[Place, random.Random], Change | None]] = [
    _raw_csv, _raw_csv, _raw_csv, _raw_sheet, _raw_sheet, _raw_gone,
    MODELS, MODELS, MODELS, _code("dbt_project/macros", "*.sql"),
    _code("dbt_project/tests", "*.sql"),
    _code(MEASURES, "*.py"), _code("dbt_project/models", "*.py"),
    _as_view, _new_model, _described, _seed_line, _seed_line, _variable, _years,
]  # fmt: skip
