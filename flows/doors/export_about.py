"""What an exported file says of itself and of its columns, the same in every format."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# Files that must carry a date carry this one: when a copy was made is no part of the data.
NO_DATE = datetime(2000, 1, 1)


def about_frame(frame: pd.DataFrame) -> dict[str, Any]:
    """What a file says of itself: panel, release, whether it is simulated, rows."""
    simulated = bool(frame.attrs.get("simulated", False))
    about: dict[str, Any] = {
        "panel": frame.attrs.get("panel", ""),
        "release": frame.attrs.get("release", ""),
        "simulated": simulated,
        "rows": len(frame),
    }
    if simulated:
        about["note"] = (
            "SIMULATED WORLD: these numbers come from a simulation; they say nothing about "
            "real cities. 模拟数据，并非任何城市的事实。"
        )
    return about


def dictionary_rows(frame: pd.DataFrame) -> list[list[Any]]:
    """A header and one row a column: name, unit, labels, definitions."""
    parts = ("unit", "label_en", "label_zh", "definition", "definition_zh")
    labels = frame.attrs.get("columns", {})
    return [
        ["column_name", *parts],
        *(
            [name, *(labels.get(name, {}).get(part, "") for part in parts)]
            for name in frame.columns
        ),
    ]


def label_of(name: str, about: dict[str, str], language: str) -> str:
    """A column's label with its unit; the column's name where the dictionary has none."""
    label = about.get(f"label_{language}") or about.get("label_en")
    if not label:
        return name
    return f"{label}（{about['unit']}）" if language == "zh" else f"{label} ({about['unit']})"
