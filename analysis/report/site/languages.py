"""The languages of the pages: English as the templates are written, Chinese from a catalogue."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent / "locale"
LANGUAGES = {"en": "English", "zh": "中文"}


@cache
def catalogue(language: str) -> Catalog:
    """The catalogue of a language other than English."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def translated(text: str, language: str) -> str:
    """A text of the pages in a language; as it is where the catalogue does not have it."""
    if language == "en":
        return text
    message = catalogue(language).get(text)
    return str(message.string) if message is not None and message.string else text
