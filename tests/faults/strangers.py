"""Tables of cities as people whom nobody knows keep them, looked into and read as a new user would.

Each file is made by chance out of ways that real files differ in: its kind and encoding, its shape,
what its keys are called, how cities are written, where the units stand, what stands around the
table. `inspect` is asked, the block that it prints is pasted into a configuration, together with
what only the file's owner can say, and the file is read by it. Whatever is accepted must be the
number that was written for that city, year and quantity.

python -m tests.faults.strangers --seed 1 --files 300      prints what became of them, by shape
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pandas as pd

from tests.faults.stranger_files import Stranger, make_stranger
from warehouse.errors import CitytradeError
from warehouse.lake.loads import load_folder
from warehouse.project import SEEDS
from warehouse.settings.config import load_config
from warehouse.settings.patterns import matched_files
from warehouse.sources import get_source
from warehouse.sources.inspection.inspected import inspect
from warehouse.sources.reading.loading import load_file

Key = tuple[str, str, int]  # code of the city, indicator, year


@dataclass(frozen=True)
class Verdict:
    """What became of a file.

    fate : by itself | by the block | with its owner's words | not read
    wrong : accepted values that were not written so
    lost : values written and not accepted
    """

    stranger: Stranger
    fate: str
    wrong: dict[Key, float] = field(default_factory=dict)
    lost: int = 0
    said: str = ""

    @property
    def is_right(self) -> bool:
        return not self.wrong and not self.lost and self.fate != "not read"


@cache
def codes() -> dict[str, str]:
    """Every name of a city -> its code of today."""
    with (SEEDS / "geography" / "city_names.csv").open(encoding="utf-8", newline="") as handle:
        return {row["name_zh"]: row["city_code"] for row in csv.DictReader(handle)}


def tried(stranger: Stranger, folder: Path) -> Verdict:
    """Look into a file, paste what is proposed, and read it."""
    file = folder / stranger.name
    stranger.write(file)
    found = inspect(file)
    if not found.block:
        return Verdict(stranger, "not read", said=found.advice or found.problem)
    has_words = "[sources.yearbook.tables." in found.block
    text = with_words(found.block, stranger.words) if has_words else found.block
    fate = "by itself" if not has_words else "with its owner's words"
    if has_words and text == found.block:
        fate = "by the block"
    try:
        rows = read_by(text, file, folder)
    except CitytradeError as error:
        return Verdict(stranger, "not read", said=f"{error}\n{text}")
    return compared(stranger, rows, fate)


def with_words(block: str, words: dict[str, str]) -> str:
    """The block with the columns that only the owner knows, each under its indicator, instead of
    what was proposed for the same head.
    """
    active = tomllib.loads(block)["sources"]["yearbook"]["tables"]
    known = next(iter(active.values())).get("columns", {})
    return "\n".join([block, *(line for name, line in words.items() if name not in known)])


def read_by(text: str, file: Path, folder: Path) -> pd.DataFrame:
    """The rows that a configuration's source of yearbooks accepts of a file."""
    config = folder / "pasted.toml"
    config.write_text(text, encoding="utf-8")
    settings = load_config(config).sources["yearbook"]
    assert matched_files(settings.patterns) == [file]
    report, _ = load_file(get_source("yearbook"), file, folder / "lake", settings.options)
    lake = load_folder(folder / "lake", "yearbook", report.load_id)
    return pd.read_parquet(lake / "yearbook__indicators.parquet")


def compared(stranger: Stranger, rows: pd.DataFrame, fate: str) -> Verdict:
    names = rows["city_name"].map(codes())
    keys = zip(names, rows["indicator"], rows["year"], strict=True)
    found = dict(zip(keys, rows["value"], strict=True))
    wrong = {
        key: value
        for key, value in found.items()
        if abs(value - stranger.truth.get(key, float("inf"))) > 1e-9 * abs(value)
    }
    return Verdict(stranger, fate, wrong, len(stranger.truth.keys() - found.keys()))


def run(seed: int, files: int) -> list[Verdict]:
    found = []
    for at in range(files):
        with tempfile.TemporaryDirectory() as folder:
            found.append(tried(make_stranger(seed * 1_000_000 + at), Path(folder)))
    return found


def report(found: list[Verdict]) -> str:
    """A line a shape: files, how they were read, values wrong and lost."""
    fates = ("by itself", "by the block", "with its owner's words", "not read")
    lines = [f"shape | files | {' | '.join(fates)} | wrong values | files with lost values"]
    shapes = sorted({verdict.stranger.shape for verdict in found})
    for shape in [*shapes, "all"]:
        own = [one for one in found if shape in (one.stranger.shape, "all")]
        counts = Counter(one.fate for one in own)
        wrong = sum(len(one.wrong) for one in own)
        lost = sum(one.lost > 0 for one in own)
        told = " | ".join(str(counts[fate]) for fate in fates)
        lines.append(f"{shape} | {len(own)} | {told} | {wrong} | {lost}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--verbose", action="store_true", help="say what each bad one is")
    given = parser.parse_args()
    found = run(given.seed, given.files)
    for verdict in found if given.verbose else []:
        if not verdict.is_right:
            wrong = dict(list(verdict.wrong.items())[:3])
            print(verdict.stranger, verdict.fate, verdict.said, f"lost {verdict.lost}", wrong)
    print(report(found))
    sys.exit(1 if any(verdict.wrong for verdict in found) else 0)


if __name__ == "__main__":
    main()
