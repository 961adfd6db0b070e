"""Which encoding text has that nobody says the encoding of: of old Stata files, and of
file names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

HIGH = re.compile(r"[\x80-\xff]+")
LATIN, UTF8, CHINESE = "latin-1", "utf-8", "gb18030"


def encoding_of(texts: Iterable[str]) -> str:
    """The encoding of texts that were taken for Latin-1: utf-8, gb18030, or latin-1 after all.

    Chinese in GB18030 comes in pairs of high bytes; an accent stands alone between plain letters.
    """
    octets = [text.encode(LATIN) for text in texts]
    if 10 * sum(_is_utf8(text) for text in octets) >= 9 * len(octets):
        return UTF8
    runs = [len(run) for text in octets for run in HIGH.findall(text.decode(LATIN))]
    return CHINESE if 2 * sum(run > 1 for run in runs) >= len(runs) else LATIN


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode(UTF8)
    except UnicodeDecodeError:
        return False
    return True


def shown_name(path: str | Path) -> str:
    """A file's name, or a whole path that is given as text, fit to be printed and stored.

    Names are bytes to the system. What is no UTF-8 is taken for GB18030 if it looks like Chinese,
    as Windows packs names; other bytes are shown escaped.
    """
    name = path.name if isinstance(path, Path) else path
    try:
        name.encode(UTF8)
    except UnicodeEncodeError:
        octets = os.fsencode(name)
        if encoding_of([octets.decode(LATIN)]) == CHINESE:
            try:
                return octets.decode(CHINESE)
            except UnicodeDecodeError:
                pass
        return octets.decode(UTF8, errors="backslashreplace")
    return name


def is_plain_path(path: Path) -> bool:
    """Whether a path can be named to every library."""
    return shown_name(str(path)) == str(path)
