"""Print what was put into the simulated world beside what estimators find.

python -m analysis.report.recovery [SLUG …] [--config FILE]   a published release
python -m analysis.report.recovery --matches [--config FILE]
    firms matched between customs and the enterprise survey: precision and recall
python -m analysis.report.recovery --worlds 20 [--null] [--beside] [--first-seed 1]
    worlds straight from the simulator's arrays: bias, coverage and rejections over them, with
    --beside also of what the papers chose; --folder FOLDER keeps each world's estimates and goes
    on from those that FOLDER has, also where simulator or estimators have changed since
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from analysis.report.recovery import matches, release, worlds
from analysis.report.recovery.core import over_worlds
from warehouse.errors import CitytradeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 and a sentence if it cannot be made."""
    parser = argparse.ArgumentParser(prog="python -m analysis.report.recovery")
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help="papers; none for all")
    parser.add_argument("--config", help="citytrade.toml of a release")
    parser.add_argument("--matches", action="store_true", help="firms of customs and the survey")
    parser.add_argument("--worlds", type=int, default=0, help="how many worlds, drawn here")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--null", action="store_true", help="worlds in which nothing acts")
    parser.add_argument("--beside", action="store_true", help="other choices too")
    parser.add_argument("--folder", type=Path, help="keeps worlds' estimates, to go on from")
    parser.add_argument("--scale", choices=("small", "paper"), default="paper")
    given = parser.parse_args(arguments)
    try:
        print(_table(given).to_string(index=False, float_format=lambda value: f"{value:.4f}"))
    except CitytradeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _table(given: argparse.Namespace) -> pd.DataFrame:
    if given.matches:
        return matches.matches(release.load(given.config))
    if not given.worlds:
        return release.recovered(release.load(given.config), tuple(given.slugs))
    return over_worlds([*_each_world(given)])


def _each_world(given: argparse.Namespace) -> Iterator[pd.DataFrame]:
    """Truths beside estimates of each world asked for; those that the folder has are not drawn
    again.
    """
    kind = "-".join(
        [given.scale]
        + ["null"] * given.null
        + ["beside"] * given.beside
        + (given.slugs or ["quick"])
    )
    for number in range(given.worlds):
        seed = given.first_seed + number
        kept = given.folder and given.folder / f"{kind}-{seed}.csv"
        if kept and kept.is_file():
            print(f"world {number + 1} of {given.worlds}, as {kept} has it", file=sys.stderr)
            yield pd.read_csv(kept, float_precision="round_trip")
            continue
        start = time.process_time()
        table = worlds.recovered(given.scale, seed, given.null, tuple(given.slugs), given.beside)
        if kept:
            given.folder.mkdir(parents=True, exist_ok=True)
            partial = kept.with_suffix(".partial")
            table.to_csv(partial, index=False)
            partial.replace(kept)
        took = time.process_time() - start
        print(f"world {number + 1} of {given.worlds}, {took:.0f} CPU seconds", file=sys.stderr)
        yield table


if __name__ == "__main__":
    sys.exit(main())
