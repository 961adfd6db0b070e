"""Print the statistics of a paper's variables and the rows of its estimates beside its own; of all
papers on one page.

python -m analysis.report ecommerce_resilience statistics [--markdown] [--config FILE]
python -m analysis.report all statistics --markdown
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from analysis.papers.samples import count_samples, load_samples
from analysis.papers.statistics import load_statistics, statistics_names
from analysis.report.statistics import StatisticsTable, compare_statistics
from warehouse import panel
from warehouse.errors import CitytradeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the statistics; 0 if they were computed, 1 with one line on standard error if they
    could not be.
    """
    parser = argparse.ArgumentParser(
        prog="python -m analysis.report",
        description="Statistics of a paper's variables beside its own; for its tables see"
        " `citytrade papers`.",
    )
    parser.add_argument("paper", help=f"one of: {', '.join(statistics_names())}; or all")
    parser.add_argument("what", choices=("statistics",))
    parser.add_argument(
        "--markdown", action="store_true", help="print Markdown instead of plain text"
    )
    parser.add_argument("--config", help="the configuration file whose warehouse is read")
    given = parser.parse_args(arguments)
    try:
        slugs = statistics_names() if given.paper == "all" else [given.paper]
        tables = [_statistics(slug, given.config) for slug in slugs]
    except CitytradeError as error:
        print(error, file=sys.stderr)
        return 1
    pages = (table.to_markdown() if given.markdown else table.to_text() for table in tables)
    print("\n\n".join(pages))
    return 0


def _statistics(slug: str, config: str | None) -> StatisticsTable:
    published, samples = load_statistics(slug), load_samples(slug)
    frames = {
        name: panel(name, columns=columns, config=config)
        for name, columns in samples.needs().items()
    }
    return compare_statistics(
        published,
        panel(published.panel, years=published.years, columns=published.variables, config=config),
        count_samples(samples, frames),
    )


if __name__ == "__main__":
    signal.signal(
        signal.SIGPIPE, signal.SIG_DFL
    )  # a reader that leaves, such as `head`, ends this without a word
    sys.exit(main())
