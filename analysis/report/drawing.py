"""Pictures as bytes and as files: one set of fonts and settings, and the same numbers give the same
bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from analysis.papers.published import PaperError

CHINESE = ("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei",
           "SimHei", "Microsoft YaHei", "PingFang SC", "Songti SC", "AR PL UMing CN")  # fmt: skip


def chinese_font() -> str | None:
    """The installed font that has Chinese signs, the first of CHINESE."""
    from matplotlib import font_manager

    there = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CHINESE if name in there), None)


def written(
    draw: Callable[[Any, bool], None],
    salt: str,
    size: tuple[float, float],
    font: str | None = None,
) -> dict[str, bytes]:
    """A picture as svg and png.

    Parameters
    ----------
    draw : on a figure; is told whether there are Chinese signs
    salt : of the names inside the svg
    size : inches across and high
    font : with Chinese signs; None for none
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    settings: dict[str, Any] = {
        "svg.hashsalt": salt,
        "axes.unicode_minus": False,
        "font.family": [font, "DejaVu Sans"] if font else ["DejaVu Sans"],
    }
    made = {}
    with matplotlib.rc_context(settings):  # type: ignore[arg-type]
        figure = pyplot.figure(figsize=size, layout="constrained")
        try:
            draw(figure, font is not None)
            for suffix in ("svg", "png"):
                bytes_of = io.BytesIO()
                dated = {"Date": None} if suffix == "svg" else {"Software": None}
                figure.savefig(bytes_of, format=suffix, dpi=150, metadata=dated)
                made[suffix] = bytes_of.getvalue()
        finally:
            pyplot.close(figure)
    return made


def saved(folder: Path, stem: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """Write files that share a stem; yields the path of each.

    Parameters
    ----------
    files : suffix -> content

    Raises
    ------
    PaperError : the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, content in files.items():
            (folder / f"{stem}.{suffix}").write_bytes(content)
            yield str(folder / f"{stem}.{suffix}")
    except OSError as error:
        raise PaperError(f"{folder} cannot be written: {error.strerror}.") from error
