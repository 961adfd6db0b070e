"""Whole files for the fuzzer to break: those of a simulated world, the layouts that it does not
use, and both packed or converted.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tests.faults.xls import cells_of, xls_bytes
from warehouse.errors import SourceError
from warehouse.simulate.model.defects import draw_defects
from warehouse.simulate.model.geography import cities
from warehouse.simulate.model.plan import draw_plan
from warehouse.simulate.model.records import draw_records
from warehouse.simulate.model.trade import build_market
from warehouse.simulate.model.whole import whole_economy
from warehouse.simulate.world import streams
from warehouse.simulate.writers.customs import layouts as customs_layouts
from warehouse.simulate.writers.digital_finance import write_digital_finance
from warehouse.simulate.writers.yearbook import layouts as yearbook_layouts
from warehouse.simulate.writers.yearbook.printing import print_all
from warehouse.sources import SOURCES
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.sheets import read_workbook

CITIES = ("1100", "3301", "3701", "4403")
YEAR = 2012  # whose files stand for those of the other years
LINES = 80
LARGEST = 600_000
PER_SOURCE = 8


@dataclass(frozen=True)
class Seed:
    """A whole file that a reader takes: its source, name and bytes."""

    source: str
    name: str
    content: bytes


def candidates(world: Path, folder: Path) -> Iterator[tuple[Seed, ...]]:
    """For each seed its forms, the first that its reader takes being the one; `folder` is for files
    to be written in.
    """
    default = [
        group
        for source in SOURCES
        for group in _of_source(source, sorted((world / source).iterdir()))
    ]
    yield from default
    yield from _layouts(folder)
    for source in SOURCES:
        yield from _converted([forms[0] for forms in default if forms[0].source == source])


def _of_source(source: str, files: list[Path]) -> Iterator[tuple[Seed, ...]]:
    """Up to eight files, one of each kind: files that differ in the years of their names only are
    of one, unless their first lines differ.
    """
    kinds: set[str] = set()
    for file in files:
        head = file.read_bytes()[:512].partition(b"\n")[0] if file.suffix == ".csv" else b""
        kind = f"{re.sub('[0-9]+', '', file.name)}:{head!r}"
        if kind not in kinds and len(kinds) < PER_SOURCE:
            kinds.add(kind)
            yield _forms(source, file)


def _forms(source: str, file: Path) -> tuple[Seed, ...]:
    """A long csv is cut to a few lines, where its reader takes that, or packed."""
    whole = Seed(source, file.name, file.read_bytes())
    if file.suffix != ".csv":
        return (whole,)
    return (
        Seed(source, file.name, b"\n".join(whole.content.split(b"\n")[:LINES]) + b"\n"),
        whole,
        _zipped(whole),
    )


def _layouts(folder: Path) -> Iterator[tuple[Seed, ...]]:
    """Files of a few cities in each layout of customs records and yearbooks, and each edition of
    the index of digital finance.
    """
    random = streams(7)
    chosen = tuple(city for city in cities("small") if city.city_code in CITIES)
    whole = whole_economy("small", random, chosen)
    economy = whole.economy
    market = build_market(economy, 100, random["market"])
    plan, _ = draw_plan(whole, 2_000, random)
    records = draw_records(market, plan, np.zeros(2_000, dtype=bool), random["records"])
    records = records.part(np.flatnonzero(records.year == YEAR))
    printed = print_all(economy, random["yearbook"])
    for layout in customs_layouts.LAYOUTS:
        target = _new(folder / "customs" / layout)
        defects = customs_layouts.shown(
            layout, records, draw_defects(len(records), random["defects"])
        )
        customs_layouts.write_in_layout(
            target, market, records, defects, random["customs_files"], layout, lambda _: None
        )
        yield from (_forms("customs", file) for file in sorted(target.glob(f"*_{YEAR}*")))
    for layout in yearbook_layouts.LAYOUTS:
        target = _new(folder / "yearbook" / layout)
        yearbook_layouts.write_in_layout(
            target, economy, printed, random["yearbook"], layout, lambda _: None
        )
        files = sorted(target.iterdir())
        yield from (
            _forms("yearbook", file)
            for file in dict.fromkeys((files[0], files[len(files) // 2], files[-1]))
        )
    for edition in ("stata", "2011-2020", "2011-2023"):
        target = _new(folder / "digital_finance" / edition)
        write_digital_finance(target, economy, whole.measured.finance, random["digital"], edition)  # type: ignore[arg-type]
        yield from (_forms("digital_finance", file) for file in sorted(target.iterdir()))


def _new(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _converted(found: list[Seed]) -> Iterator[tuple[Seed, ...]]:
    """A source's first file in a zip, its first csv as Parquet, its first workbook as xls."""
    yield (_zipped(found[0]),)
    table = next((seed for seed in found if seed.name.endswith(".csv")), None)
    if table is not None:
        yield (Seed(table.source, f"{Path(table.name).stem}.parquet", _as_parquet(table)),)
    book = next((seed for seed in found if seed.name.endswith(".xlsx")), None)
    if book is not None:
        yield (Seed(book.source, f"{Path(book.name).stem}.xls", _as_xls(book)),)


def _zipped(seed: Seed) -> Seed:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(seed.name, seed.content)
    return Seed(seed.source, f"{Path(seed.name).stem}.zip", sink.getvalue())


def _as_parquet(seed: Seed) -> bytes:
    sink = io.BytesIO()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            pd.read_csv(
                io.BytesIO(seed.content), dtype=str, encoding=encoding, on_bad_lines="skip"
            ).to_parquet(sink, index=False)
            return sink.getvalue()
        except UnicodeDecodeError:
            continue
    raise SourceError(seed.name, "", "is neither UTF-8 nor GB18030", "Write it again")


def _as_xls(seed: Seed) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        file.write(seed.content)
        file.flush()
        sheets = read_workbook(RawFile(Path(file.name), seed.name))
    return xls_bytes({name: cells_of(rows) for name, rows in sheets.items()})
