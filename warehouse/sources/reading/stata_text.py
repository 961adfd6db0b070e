"""Text of Stata files whose encoding nobody knows: one decision a column, and none about text that
is right.

Formats before 118 do not say their encoding, and pandas takes their text for Latin-1; so it does
with text in a later file that is not the UTF-8 that it should be (an old file opened and saved by a
newer Stata, not translated). Other text is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.reading.encodings import HIGH, LATIN, encoding_of

BEYOND_LATIN = re.compile(r"[^\x00-\xff]")
UNDECODED = "\ufffd"


@dataclass
class Repair:
    """The decisions taken about one file; a column's stays the same for all pieces.

    is_needed : pandas took text for Latin-1 that may be something else
    """

    file: str
    is_old: bool
    is_needed: bool = field(init=False)
    _decided: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.is_needed = self.is_old

    def texts(self, place: str, texts: Sequence[str]) -> list[str]:
        """Texts that have one encoding, put right.

        Raises
        ------
        SourceError : most of them are in no encoding that is known.
        """
        strange = (
            {text for text in texts if HIGH.search(text) and not BEYOND_LATIN.search(text)}
            if self.is_needed
            else set()
        )
        if not strange:
            return list(texts)
        encoding = self._decided.setdefault(place, encoding_of(strange))
        if encoding == LATIN:
            return list(texts)
        right = {text: text.encode(LATIN).decode(encoding, errors="replace") for text in strange}
        # a name that a fixed width cut in the middle of a character ends in an undecoded sign; that
        # is the readers' to judge
        broken = [text for text, found in right.items() if UNDECODED in found[:-1]]
        if 2 * len(broken) > len(right):
            octets = broken[0].encode(LATIN)[:8].hex(" ")
            raise SourceError(
                self.file,
                place,
                f"is neither UTF-8 nor GB18030 (bytes {octets})",
                "Translate the file in Stata and refresh again",
            )
        return [right.get(text, text) for text in texts]

    def column(self, name: str, column: pd.Series) -> pd.Series:
        """A column of text, put right."""
        if not self.is_needed:
            return column
        places, values = pd.factorize(column)
        strings = [value for value in values if isinstance(value, str)]
        right = dict(zip(strings, self.texts(f"column {name}", strings), strict=True))
        told = [right.get(value, value) if isinstance(value, str) else value for value in values]
        return (
            column
            if strings == list(right.values())
            else pd.Series(
                [told[at] if at >= 0 else None for at in places], index=column.index, dtype=object
            )
        )
