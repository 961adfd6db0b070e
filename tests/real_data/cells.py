"""What is read of the files that a configuration names: cells by fate, and the heads that are not
read.

CITYTRADE_REAL_DATA=/folder python -m tests.real_data.cells [CONFIG] [SOURCE]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from warehouse.errors import SourceError
from warehouse.lake.loads import LoadReport, load_folder
from warehouse.settings.config import load_config
from warehouse.settings.patterns import matched_files
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file

CONFIG = Path(__file__).with_name("citytrade.toml")


def load_all(
    config: Path, lake: Path, source: str = "yearbook"
) -> Iterator[tuple[LoadReport, dict[str, pd.DataFrame]]]:
    """Each file's report and its rows by lake table, set_aside among them."""
    settings = load_config(config).sources[source]
    for file in matched_files(settings.patterns):
        report, _ = load_file(get_source(source), file, lake, settings.options)
        folder = load_folder(lake, source, report.load_id)
        yield (
            report,
            {path.stem: pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))},
        )


def line(report: LoadReport) -> str:
    """One file in one line: cells read, accepted, set aside by reason, heads read and unread."""
    unread = [column["head"] for column in report.columns if column["indicator"] is None]
    aside = ", ".join(f"{reason} {count}" for reason, count in report.set_aside.items()) or "-"
    share = f"{report.accepted_n / report.read_n:.1%}" if report.read_n else "-"
    heads = f"{len(report.columns) - len(unread)} heads read, {len(unread)} unread"
    return (
        f"{report.file_name} | {report.layout} | {report.read_n} | {report.accepted_n} | {share} |"
        f" {aside} | {heads}"
    )


def main() -> None:
    config = Path(sys.argv[1]) if len(sys.argv) > 1 else CONFIG
    source = sys.argv[2] if len(sys.argv) > 2 else "yearbook"
    print("file | layout | cells read | accepted | share | set aside | heads")
    with tempfile.TemporaryDirectory() as folder:
        try:
            for report, _ in load_all(config, Path(folder), source):
                print(line(report))
        except SourceError as error:
            raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
