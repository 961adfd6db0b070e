"""Figures as readers expect them: for each a csv of its numbers, an svg and a png."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from analysis.papers.declared import Paper
from analysis.papers.figures import Drawn, numbers_of
from analysis.papers.release import Release
from analysis.report.drawing import chinese_font, saved, written
from analysis.report.origin import origin_line

NO_FONT = (
    "No Chinese font is installed: the picture has cities' English names, the csv the Chinese ones."
)
ACROSS, HIGH = 7.0, 4.6  # inches


def write_figures(paper: Paper, release: Release, folder: Path) -> Iterator[str]:
    """Write the figures of a paper into a folder; a line a file, or why there is none.

    Raises
    ------
    PaperError : the folder cannot be written.
    """
    world = "simulated" if release.is_simulated else "real"
    for name, figure in paper.figures.items():
        drawn = numbers_of(figure, release)
        if drawn.reason:
            yield f"{paper.slug}, figure {name}: cannot be drawn: {drawn.reason}"
            continue
        variant = f"_{paper.variant}" if paper.variant else ""
        stem = f"{world}_{paper.slug}_figure_{name.removeprefix('f')}{variant}"
        origin = origin_line(release.is_simulated, release.name)
        files: dict[str, bytes] = {"csv": drawn.numbers.to_csv(index=False).encode("utf-8-sig")}
        files |= pictures(drawn, origin)
        yield from saved(folder, stem, files)
        marks = "".join(f"{name} {value:.4g}; " for name, value in drawn.marks.items())
        yield f"{stem}: {marks}{drawn.note}"
        if figure.kind in ("moran", "map") and chinese_font() is None:
            yield f"{stem}: {NO_FONT}"


def pictures(drawn: Drawn, origin: str) -> dict[str, bytes]:
    """The picture as svg and png; the same numbers give the same bytes."""

    def draw(picture: Any, chinese: bool) -> None:
        panels = 2 if drawn.figure.kind == "curves" else 1
        axes = picture.subplots(1, panels, squeeze=False)
        DRAW[drawn.figure.kind](drawn, axes[0], chinese)
        picture.suptitle(drawn.figure.title, fontsize=11)
        picture.supxlabel(textwrap.fill(origin, 130), fontsize=6)

    return written(draw, drawn.figure.name, (ACROSS, HIGH), chinese_font())


def _event_study(drawn: Drawn, axes: Any, chinese: bool) -> None:
    table, here = drawn.numbers, axes[0]
    down, up = table["estimate"] - table["low"], table["high"] - table["estimate"]
    here.errorbar(table["event_time"], table["estimate"], [down, up], fmt="o", capsize=3)
    here.axhline(0, color="grey", linewidth=0.8)
    here.axvline(-0.5, color="grey", linewidth=0.8, linestyle="--")
    here.set(xlabel="years since treatment", ylabel="effect, 95 % interval")


def _placebo(drawn: Drawn, axes: Any, chinese: bool) -> None:
    table, here, truth = drawn.numbers, axes[0], drawn.marks["estimate"]
    here.plot(table["coefficient"], table["density"], label=f"{drawn.marks['draws']:.0f} placebos")
    here.plot(table["coefficient"], table["normal"], linestyle=":", label="normal")
    label = f"estimate {truth:.4g}, p = {drawn.marks['p']:.3f}"
    here.axvline(truth, color="red", linestyle="--", label=label)
    here.set(xlabel="coefficient", ylabel="density")
    here.legend(fontsize=8)


def _moran(drawn: Drawn, axes: Any, chinese: bool) -> None:
    table, here = drawn.numbers, axes[0]
    here.scatter(table["z"], table["w_z"], s=10)
    slope = drawn.marks["slope"]
    ends = [float(table["z"].min()), float(table["z"].max())]
    here.set_title(f"Moran's I = {slope:.3f}, p = {drawn.marks['p']:.3f}", fontsize=9)
    here.plot(ends, [slope * end for end in ends], color="red")
    here.axhline(0, color="grey", linewidth=0.8)
    here.axvline(0, color="grey", linewidth=0.8)
    for row in table[table["name"] != ""].to_dict("records"):
        side = -1 if row["z"] > 0 else 1  # towards the middle, where there is room
        here.annotate(
            row["name"] if chinese else row["name_en"], (row["z"], row["w_z"]), fontsize=7,
            xytext=(4 * side, 3), textcoords="offset points", ha="left" if side > 0 else "right",
        )  # fmt: skip
    for text, (x, y) in {"HH": (1, 1), "LH": (0, 1), "LL": (0, 0), "HL": (1, 0)}.items():
        here.annotate(
            text, (x, y), xycoords="axes fraction", xytext=(6 - 12 * x, 6 - 12 * y),
            textcoords="offset points", ha="right" if x else "left", va="top" if y else "bottom",
            color="grey",
        )  # fmt: skip
    asked = drawn.figure.estimation.arguments if drawn.figure.estimation else {}
    what = asked.get("variable", "the variable")
    here.set(xlabel=f"{what}, standardised", ylabel="its mean among neighbours")


def _map(drawn: Drawn, axes: Any, chinese: bool) -> None:
    table, here = drawn.numbers, axes[0]
    points = here.scatter(table["longitude"], table["latitude"], c=table["value"], s=16)
    here.figure.colorbar(points, ax=here, shrink=0.8)
    here.set_aspect(1 / np.cos(np.radians(float(table["latitude"].mean()))))
    for row in table[table["name"] != ""].to_dict("records"):
        place = (row["longitude"], row["latitude"])
        text = row["name"] if chinese else row["name_en"]
        here.annotate(text, place, xytext=(4, 3), textcoords="offset points", fontsize=7)
    here.set(xlabel="longitude", ylabel="latitude")
    here.set_title("Cities as points at the middles of their areas: no boundaries", fontsize=8)


def _coefficients(drawn: Drawn, axes: Any, chinese: bool) -> None:
    table, here = drawn.numbers.iloc[::-1], axes[0]
    down, up = table["estimate"] - table["low"], table["high"] - table["estimate"]
    here.errorbar(table["estimate"], range(len(table)), xerr=[down, up], fmt="o", capsize=3)
    here.set_yticks(range(len(table)), list(table["term"]), fontsize=7)
    here.axvline(0, color="grey", linewidth=0.8)
    here.set(xlabel="estimate, 95 % interval")


def _curves(drawn: Drawn, axes: Any, chinese: bool) -> None:
    for here, what in zip(axes, ("distribution", "density"), strict=True):
        for tail, table in drawn.numbers.groupby("tail"):
            here.plot(table["x"], table[what], label=f"tail index {tail:g}")
        here.set(xlabel="x", ylabel=what)
        here.legend(fontsize=8)


DRAW: dict[str, Callable[[Drawn, Any, bool], None]] = {
    "event_study": _event_study,
    "placebo": _placebo,
    "moran": _moran,
    "map": _map,
    "coefficients": _coefficients,
    "curves": _curves,
}
