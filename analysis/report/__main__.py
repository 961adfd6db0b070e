"""Print a paper's table with our estimates beside the published numbers, or its variables'
statistics beside its own.

python -m analysis.report ecommerce_resilience t4 --columns 1 6 [--markdown] [--config FILE]
python -m analysis.report ecommerce_resilience statistics [--markdown] [--config FILE]
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from analysis.papers import estimate_table, load_paper, paper_names
from analysis.papers.statistics import load_statistics, statistics_names
from analysis.report.statistics import StatisticsTable, compare_statistics
from analysis.report.tables import ComparisonTable, compare
from warehouse import panel
from warehouse.errors import CitytradeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0 if it was estimated, 1 with one line on standard error if it could
    not be.
    """
    parser = argparse.ArgumentParser(
        prog="python -m analysis.report",
        description="A paper's table, our estimates beside the published numbers.",
    )
    parser.add_argument(
        "paper", help=f"one of: {', '.join(sorted({*paper_names(), *statistics_names()}))}"
    )
    parser.add_argument("table", help="the table's name in paper.toml, such as t4, or: statistics")
    parser.add_argument(
        "--columns", type=int, nargs="+", help="columns of the table; all if not given"
    )
    parser.add_argument(
        "--markdown", action="store_true", help="print Markdown instead of plain text"
    )
    parser.add_argument("--config", help="the configuration file whose warehouse is read")
    given = parser.parse_args(arguments)
    try:
        table = (
            _statistics(given.paper, given.config)
            if given.table == "statistics"
            else _table(given.paper, given.table, given.columns, given.config)
        )
    except CitytradeError as error:
        print(error, file=sys.stderr)
        return 1
    print(table.to_markdown() if given.markdown else table.to_text())
    return 0


def _table(
    slug: str, name: str, columns: Sequence[int] | None, config: str | None
) -> ComparisonTable:
    paper = load_paper(slug)
    wanted = paper.table(name)
    wanted.chosen(columns)
    frame = panel(wanted.panel, years=paper.years, columns=wanted.variables, config=config)
    return compare(paper, name, estimate_table(slug, name, frame, columns), frame)


def _statistics(slug: str, config: str | None) -> StatisticsTable:
    published = load_statistics(slug)
    return compare_statistics(
        published,
        panel(published.panel, years=published.years, columns=published.variables, config=config),
    )


if __name__ == "__main__":
    signal.signal(
        signal.SIGPIPE, signal.SIG_DFL
    )  # a reader that leaves, such as `head`, ends this without a word
    sys.exit(main())
