"""Two equations that name each other, whose truth is known."""

from __future__ import annotations

MADE_UP = {"one": ("y1", ["y2", "a", "b"]), "two": ("y2", ["y1", "c", "d"])}
