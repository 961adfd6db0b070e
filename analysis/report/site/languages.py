"""The languages of the pages: English as the templates are written, Chinese from a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent / "locale"
LANGUAGES = {"en": "English", "zh": "中文"}


@cache
def catalogue(language: str) -> Catalog:
    """The catalogue of a language other than English."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def translated(text: str, language: str, context: str | None = None) -> str:
    """A text of the pages in a language; as it is where the catalogue does not have it.

    Parameters
    ----------
    context : what the catalogue keeps apart from words of the pages: "unit", or "panel" for what a
        panel is
    """
    if language == "en":
        return text
    message = catalogue(language).get(text, context)
    return str(message.string) if message is not None and message.string else text


def told_column(about: Mapping[str, Any], language: str) -> dict[str, str]:
    """What a page says of a column: name, label, unit and definition in its language.

    A release from before definitions were in Chinese has them in English alone: those are shown.
    """
    return {
        "name": str(about["column_name"]),
        "label": str(about.get(f"label_{language}") or about.get("label_en") or ""),
        "unit": translated(str(about.get("unit") or ""), language, "unit"),
        "definition": str(about.get(f"definition_{language}") or about.get("definition") or ""),
    }
