"""python -m analysis.report.recomputed [SLUG ...] [--config FILE]"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import pandas as pd

from analysis.papers import PaperError, Release, load_paper, paper_names
from analysis.report.origin import origin_line
from analysis.report.recomputed.compare import Difference, differences, uncovered
from warehouse.errors import CitytradeError

SHOWN = "{:.6g}".format


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the differences; 0 if they could be computed, 1 with one line on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis.report.recomputed",
        description="A column of each estimator recomputed by another program.",
    )
    parser.add_argument("papers", nargs="*", help=f"of: {', '.join(paper_names())}")
    parser.add_argument("--config", help="the configuration file whose warehouse is read")
    given = parser.parse_args(arguments)
    try:
        release = Release(given.config)
        papers = [load_paper(name) for name in given.papers or paper_names()]
        found = [one for paper in papers for one in differences(paper, release)]
        if not found:
            raise PaperError("No column of these papers is estimated by what another program has.")
    except CitytradeError as error:
        print(error, file=sys.stderr)
        return 1
    print(origin_line(release.is_simulated, release.name))
    _show(found)
    print(f"Not in these programs: {', '.join(uncovered(papers))}; see tests/estimators.")
    return 0


def _show(found: Sequence[Difference]) -> None:
    """Every number, then the largest difference of each kind by estimator, then conventions."""
    rows = pd.DataFrame([vars(one) | {"relative": one.relative} for one in found])
    numbers = rows.drop(columns=["program", "converted"])
    print(numbers.to_string(index=False, float_format=SHOWN, na_rep="missing"))
    print("\nThe largest relative difference, and how many numbers were compared:")
    kinds = ["estimator", "program", "number"]
    largest = rows.groupby(kinds, sort=False)["relative"].agg(largest="max", compared="size")
    print(largest.reset_index().to_string(index=False, float_format=SHOWN))
    said = rows[rows["converted"] != ""].drop_duplicates(["paper", "estimator"])
    for one in said.itertuples(index=False):
        print(f"{one.paper}, table {one.table} ({one.column}), {one.estimator}: {one.converted}.")


if __name__ == "__main__":
    sys.exit(main())
