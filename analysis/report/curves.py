"""Specification curves as files: a csv of the numbers, and the picture as svg and png."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.papers.curves import estimate_curve, summary_of
from analysis.papers.declared import Curve, Paper
from analysis.papers.release import Release
from analysis.report.drawing import chinese_font, saved, written
from analysis.report.origin import origin_line

ACROSS, TOP, LINE = 8.0, 3.2, 0.17  # inches: wide, of the curve, of a label below
CLEAR, UNCLEAR, OWN = "#1f5a99", "#9aa7b5", "#c22f2f"


def write_curves(
    paper: Paper, release: Release, folder: Path | None, *, fresh: bool = False
) -> Iterator[str]:
    """Estimate the curves of a paper; a line a curve, and one a file written.

    Parameters
    ----------
    folder : None to write nothing

    Raises
    ------
    PaperError : the folder cannot be written.
    """
    world = "simulated" if release.is_simulated else "real"
    for name, curve in paper.curves.items():
        found = estimate_curve(paper, curve, release, fresh=fresh)
        unit = f", {curve.unit}" if curve.unit else ""
        number = f"table {curve.table}, column {curve.column}, {curve.row}{unit}"
        yield f"{paper.slug}, curve {name} ({number}): {summary_of(found)}"
        if curve.note:
            yield f"  {curve.note}"
        yield from (f"  not estimated: {labels}: {why}" for labels, why in refused(curve, found))
        if folder is None:
            continue
        variant = f"_{paper.variant}" if paper.variant else ""
        stem = f"{world}_{paper.slug}_curve_{name}{variant}"
        files: dict[str, bytes] = {"csv": found.to_csv(index=False).encode("utf-8-sig")}
        printed = printed_of(paper, curve)
        origin = origin_line(release.is_simulated, release.name)
        files |= picture(curve, found, printed, origin)
        yield from saved(folder, stem, files)


def refused(curve: Curve, found: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Labels and reason of what could not be estimated, each reason once with its first labels."""
    lost = found[found["estimate"].isna()]
    for reason, rows in lost.groupby("reason", sort=False):
        labels = ", ".join(filter(None, rows.iloc[0][list(curve.dimensions)]))
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        yield f"{labels}{more}", str(reason)


def printed_of(paper: Paper, curve: Curve) -> float | None:
    """The coefficient that was printed, if one was, in the unit of the curve."""
    if curve.unit:
        return None
    table = paper.published
    place = {"table": curve.table, "column": curve.column, "row": curve.row}
    here = table[(table[list(place)] == pd.Series(place)).all(axis=1)]
    return float(here["coefficient"].iloc[0]) if len(here) else None


def picture(
    curve: Curve, found: pd.DataFrame, printed: float | None, origin: str
) -> dict[str, bytes]:
    """The curve above, which choice each point stands for below; svg and png."""
    known = found[found["estimate"].notna()].sort_values("estimate", kind="stable")
    known = known.reset_index(drop=True)
    labels = [(name, label) for name, given in curve.dimensions.items() for label in given]

    def draw(figure: Any, chinese: bool) -> None:
        heights = [TOP, LINE * (len(labels) + len(curve.dimensions))]
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=heights)
        _draw_estimates(above, known, printed, curve)
        _draw_choices(below, known, labels)
        figure.suptitle(textwrap.fill(curve.title, 90), fontsize=11)
        figure.supxlabel(textwrap.fill(origin, 140), fontsize=6)

    high = TOP + LINE * (len(labels) + len(curve.dimensions)) + 0.8
    return written(draw, f"curve {curve.name}", (ACROSS, high), chinese_font())


def _draw_estimates(axes: Any, known: pd.DataFrame, printed: float | None, curve: Curve) -> None:
    colours = [
        OWN if own else CLEAR if p < 0.05 else UNCLEAR
        for own, p in zip(known["is_paper"], known["p_value"], strict=True)
    ]
    low, high = known["low"].fillna(known["estimate"]), known["high"].fillna(known["estimate"])
    axes.vlines(range(len(known)), low, high, colors=colours, linewidth=0.8)
    axes.scatter(range(len(known)), known["estimate"], c=colours, s=9, zorder=3)
    axes.axhline(0, color="black", linewidth=0.6)
    if printed is not None:
        axes.axhline(printed, color=OWN, linewidth=0.8, linestyle=":")
        axes.annotate(f"published {printed:g}", (1, printed), xycoords=("axes fraction", "data"),
                      fontsize=7, ha="right", va="bottom", color=OWN)  # fmt: skip
    unit = f",\n{curve.unit}" if curve.unit else ""
    axes.set_ylabel(f"{curve.row}, 95 % interval{unit}", fontsize=8)
    said = "red: the paper's choices; blue: p below 5 %; grey: not"
    axes.set_title(said, fontsize=7, loc="left")
    axes.tick_params(labelsize=7)


def _draw_choices(axes: Any, known: pd.DataFrame, labels: list[tuple[str, str]]) -> None:
    ticks, names, at, before = [], [], 0, ""
    for dimension, label in labels:
        at += 1 + (dimension != before)
        before = dimension
        here = [i for i, value in enumerate(known[dimension]) if value == label]
        axes.scatter(here, [at] * len(here), s=5, marker="s", color="black", linewidths=0)
        ticks.append(at)
        names.append(f"{dimension}: {label}")
    axes.set_yticks(ticks, names, fontsize=6.5)
    axes.set_ylim(at + 1, 0.5)
    axes.set_xticks([])
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
