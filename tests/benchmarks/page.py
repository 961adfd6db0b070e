"""`make bench`: what citytrade costs beside its limits and its peers, as one page.

    python -m tests.benchmarks.page [PART …] [--records 2000000] [--rows 616591] [--runs 3]

Parts: customs, refreshes, estimators, exports; all without one. In each, contenders take turns in
processes of their own and must find the same, or the program ends with an error. Ratios are of CPU
seconds where these are known, which a busy machine moves less. Results and a chart go to the
folder: page.json, page.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.customs_panel import PROJECT
from tests.benchmarks.parts import PARTS, Asked, Cost, Table

PACKAGES = ("duckdb", "dbt-core", "polars", "pandas", "numpy")


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    asked = Asked(tuple(given.records), given.rows, given.runs, folder)
    head, tables = _head(given.runs), []
    for name in given.parts or PARTS:
        tables += PARTS[name](asked)
        # After each part: what a long run has measured is kept where a later part fails.
        _write(folder, head, tables)
    print("\n".join(["", head, "", *(page(table) for table in tables)]))
    print(f"{folder / 'page.json'}, {folder / 'page.svg'}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.page",
        description="What citytrade costs beside its limits and its peers.",
    )
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help=f"of {', '.join(PARTS)}")
    parser.add_argument(
        "--records", type=int, nargs="+", default=[2_000_000], metavar="N", help="customs records"
    )
    parser.add_argument(
        "--rows", type=int, default=616_591, metavar="N", help="rows that estimators get"
    )
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="of every contender")
    parser.add_argument("--folder", type=Path, default=PROJECT / "data" / "benchmark")
    return parser


def page(table: Table) -> str:
    """A table in markdown: costs, and the ratio of each contender's to the base's."""
    lines = [
        f"| {table.title} | wall s | CPU s | MB | over {table.base.split(':')[0]} |",
        "|---|---|---|---|---|",
    ]
    base = table.costs.get(table.base)
    for name, cost in table.costs.items():
        ratio = f"{_ratio(cost, base):.2f}" if base is not None else ""
        lines.append(
            f"| {name} | {cost.seconds:.2f} | {_shown(cost.cpu_seconds, 2)} | {_shown(cost.mb, 0)}"
            f" | {ratio} |"
        )
    told = [*table.notes, *(f"{name} is absent: {why}" for name, why in table.absent.items())]
    return "\n".join([*lines, "", *(f"{line}." for line in told), *([""] if told else [])])


def _ratio(cost: Cost, base: Cost) -> float:
    """Of CPU seconds where both are known, else of the clock's."""
    if cost.cpu_seconds is None or base.cpu_seconds is None:
        return cost.seconds / base.seconds
    return cost.cpu_seconds / base.cpu_seconds


def _shown(number: float | None, digits: int) -> str:
    return "" if number is None else f"{number:,.{digits}f}"


def _head(runs: int) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {packages};"
        f" {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f} at the start; medians of"
        f" {runs} interleaved runs where nothing else is said."
    )


def _write(folder: Path, head: str, tables: list[Table]) -> None:
    report = {"about": head, "tables": [asdict(table) for table in tables]}
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    (folder / "page.json").write_text(text, encoding="utf-8")
    _draw(folder / "page.svg", tables)


def _draw(file: Path, tables: list[Table]) -> None:
    """Ratios to each table's base as bars, on a scale of logs."""
    from matplotlib.figure import Figure

    bars_n = sum(len(table.costs) + 2 for table in tables)
    figure = Figure(figsize=(9, 0.25 * bars_n + 1), layout="constrained")
    axes = figure.subplots(
        len(tables), squeeze=False, height_ratios=[len(table.costs) + 1 for table in tables]
    )
    for ax, table in zip(axes[:, 0], tables, strict=True):
        base = table.costs[table.base]
        ratios = [_ratio(cost, base) for cost in table.costs.values()]
        bars = ax.barh(list(table.costs), ratios, color="#4477aa")
        ax.bar_label(bars, fmt="%.2f", padding=2, fontsize=7)
        ax.set(xscale="log", title=f"{table.title} (1: {table.base})")
        ax.title.set_fontsize(8)
        ax.tick_params(labelsize=7)
        ax.invert_yaxis()
    figure.savefig(file)


if __name__ == "__main__":
    raise SystemExit(main())
