"""What the pages of the reference share: their head, and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def head(title: str, told: str, origin: str) -> str:
    """A page's first lines; `origin` says what it is written from."""
    return (
        f"# {title}\n\n<!-- Written from {origin} by `make reference`: edit that, not this page."
        f" -->\n\n{told}\n"
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar within a cell does not end it."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def code(text: str) -> str:
    """A text as code; nothing for nothing."""
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
