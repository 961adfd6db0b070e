"""What a whole refresh cost, how it grows with the records, and the tables that say so: see
`tests.benchmarks.whole`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.customs_panel import MEGABYTE
from tests.benchmarks.watching import Cost, Look


@dataclass(frozen=True)
class Stage:
    """A part of a refresh: seconds by the clock and of all processors, and MB at its highest."""

    seconds: float
    cpu: float
    memory_mb: float


@dataclass(frozen=True)
class Refresh:
    """What one refresh cost. MB are 10^6 bytes; `process` is the largest process and `largest` what
    it ran; `disk` is the home at its highest and `home` at the end.
    """

    seconds: float
    cpu: float
    memory_mb: float
    process_mb: float
    largest: str
    disk_mb: float
    home_mb: float
    stages: dict[str, Stage] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """A size: its records, those of the last month, bytes of csv, the refresh of all months but the
    last, and the refresh of the last on top.
    """

    records_n: int
    month_n: int
    csv_mb: float
    whole: Refresh
    month: Refresh


def measured_of(said: dict[str, Any]) -> Measured:
    """What was written as JSON."""
    refreshes = {
        name: Refresh(
            **{**said[name], "stages": {s: Stage(**c) for s, c in said[name]["stages"].items()}}
        )
        for name in ("whole", "month")
    }
    return Measured(**{**said, **refreshes})


def refresh_of(cost: Cost, begun: Sequence[tuple[float, str]], home: int) -> Refresh:
    """The cost as it is written down, by stages that began at some seconds."""
    last = max(cost.looks, key=lambda look: look.process)
    ends = [at for at, _ in begun[1:]] + [math.inf]
    stages = {stage: _stage(cost, at, end) for (at, stage), end in zip(begun, ends, strict=True)}
    return Refresh(
        cost.seconds,
        cost.cpu,
        cost.memory / MEGABYTE,
        cost.process / MEGABYTE,
        last.command,
        max(cost.disk, home) / MEGABYTE,
        home / MEGABYTE,
        stages,
    )


def _stage(cost: Cost, start: float, end: float) -> Stage:
    until = [look.cpu for look in cost.looks if look.at < end]
    before = [look.cpu for look in cost.looks if look.at < start]
    within: list[Look] = [look for look in cost.looks if start <= look.at < end]
    cpu = (cost.cpu if end == math.inf else max(until, default=0.0)) - max(before, default=0.0)
    memory = max((look.memory for look in within), default=0)
    return Stage(min(end, cost.seconds) - start, cpu, memory / MEGABYTE)


def exponent(costs: Mapping[int, float]) -> float:
    """The slope of ln cost on ln records, by least squares: 1 if twice the records cost twice.

    Raises
    ------
    ValueError : fewer than two sizes, or a cost that is not above nothing.
    """
    if len(costs) < 2:
        raise ValueError("an exponent needs two sizes")
    x, y = [math.log(n) for n in costs], [math.log(cost) for cost in costs.values()]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    along = sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True))
    return along / sum((a - x_mean) ** 2 for a in x)


def page(sizes: Sequence[Measured], base: Measured) -> str:
    """Tables in markdown: what the refreshes cost, by stage, and how it grows."""
    lines = [
        "| records | refresh of | s | CPU s | memory MB | of one process | disk MB | home MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in sizes:
        for name, what in (
            (f"all but {one.month_n:,}", one.whole),
            (f"these {one.month_n:,} on top", one.month),
        ):
            numbers = (what.seconds, what.cpu, what.memory_mb, what.process_mb, what.disk_mb)
            lines.append(
                f"| {one.records_n:,} | {name} |"
                f" {' | '.join(f'{number:,.0f}' for number in (*numbers, what.home_mb))} |"
            )
    names = list(sizes[0].whole.stages)
    lines += ["", f"| records | CPU s: {' | '.join(names)} | csv MB | month : whole, CPU | s |"]
    lines += ["|---" * (len(names) + 4) + "|"]
    for one in sizes:
        stages = [f"{one.whole.stages[name].cpu:,.0f}" for name in names]
        ratios = (one.month.cpu / one.whole.cpu, one.month.seconds / one.whole.seconds)
        lines.append(
            f"| {one.records_n:,} | {' | '.join(stages)} | {one.csv_mb:,.0f} |"
            f" {' | '.join(f'1/{1 / ratio:.1f}' for ratio in ratios)} |"
        )
    return "\n".join([*lines, "", *growth(sizes, base)])


def growth(sizes: Sequence[Measured], base: Measured) -> list[str]:
    """Lines on how processor seconds grow, of the whole and of what the records cost: what is over
    a refresh of the fewest.
    """
    costs = {one.records_n: one.whole.cpu for one in sizes}
    of_records = {n: cpu - base.whole.cpu for n, cpu in costs.items() if n > base.records_n}
    lines = [f"{base.records_n:,} records and all other sources: {base.whole.cpu:,.0f} CPU s."]
    if of_records and min(of_records.values()) > 0:
        each = ", ".join(f"{cpu / n * 1e6:.1f}" for n, cpu in of_records.items())
        lines.append(f"CPU s over that a million records, by size: {each}.")
        if len(of_records) > 1:
            lines.append(
                f"Exponent of CPU s: {exponent(costs):.2f} of the whole,"
                f" {exponent(of_records):.2f} of what is over that."
            )
    return lines
