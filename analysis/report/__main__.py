"""Print a paper's table with our estimates beside the published numbers.

python -m analysis.report ecommerce_resilience t4 --columns 1 6 [--markdown] [--config FILE]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from analysis.papers import estimate_table, load_paper, paper_names
from analysis.report.tables import compare
from warehouse import panel
from warehouse.errors import CitytradeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0 if it was estimated, 1 with one line on standard error if it could not be."""
    parser = argparse.ArgumentParser(prog="python -m analysis.report", description="A paper's table, our estimates beside the published numbers.")
    parser.add_argument("paper", help=f"one of: {', '.join(paper_names())}")
    parser.add_argument("table", help="the table's name in paper.toml, such as t4")
    parser.add_argument("--columns", type=int, nargs="+", help="columns of the table; all if not given")
    parser.add_argument("--markdown", action="store_true", help="print Markdown instead of plain text")
    parser.add_argument("--config", help="the configuration file whose warehouse is read")
    given = parser.parse_args(arguments)
    try:
        paper = load_paper(given.paper)
        wanted = paper.table(given.table)
        wanted.chosen(given.columns)
        frame = panel(wanted.panel, years=paper.years, columns=wanted.variables, config=given.config)
        table = compare(paper, given.table, estimate_table(given.paper, given.table, frame, given.columns), frame)
    except CitytradeError as error:
        print(error, file=sys.stderr)
        return 1
    print(table.to_markdown() if given.markdown else table.to_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
