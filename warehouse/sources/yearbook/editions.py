"""Which yearbook a table is from: yearbook N prints the year N-1."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from warehouse.errors import SourceError
from warehouse.sources.reading.base import RawFile

# One year, not the first of a span.
YEAR = r"((?:19|20)\d{2})(?!\d|[-–—~～至](?:19|20)\d{2})"
ALONE = r"(?<!\d)(?<!\d[-–—~～至])"
# The year of a yearbook, in a text without blanks. Yearbooks of city construction print the year in
# their
# title, and are not meant.
YEARBOOK_YEAR = re.compile(
    rf"(?<!建设统计)年鉴\D{{0,4}}{YEAR}|yearbook\D{{0,4}}{YEAR}"
    rf"|{ALONE}{YEAR}年?版?(?:中国)?(?:城市)?(?:统计)?年鉴"
    rf"|{ALONE}{YEAR}[\W_]?(?:china)?[\W_]?(?:city|urban)?[\W_]?(?:statistical)?[\W_]?yearbook",
    re.IGNORECASE,
)
IN_NAME = (  # the setting for files that carry the yearbook's year in their names and do not say so
    "name"
)


def yearbook_year(raw: RawFile, place: str, *sayings: Sequence[str]) -> int:
    """The year of a yearbook: the configured one, or the one that the first group of texts to name
    just one year names.

    A year counts only beside the word 年鉴 or yearbook: one that stands alone may as well be that
    of the numbers.

    Raises
    ------
    SourceError : none of them names a yearbook with its year.
    """
    configured = configured_yearbook(raw, place)
    if configured is not None:
        return configured
    for texts in sayings:
        plain = [re.sub(r"\s", "", text) for text in texts]
        matches = [match for text in plain for match in YEARBOOK_YEAR.finditer(text)]
        years = {int(match[match.lastindex or 0]) for match in matches}
        if len(years) == 1:
            return years.pop()
    raise SourceError(
        raw.name,
        place,
        "does not say which yearbook it is from: neither its title, its name nor the file's name"
        " has 年鉴 or yearbook with a year",
        "Name the yearbook in the sheet's title or the file's name, for instance"
        ' 中国城市统计年鉴2012.xlsx, or write yearbook = 2012 (or yearbook = "name", if the'
        " file's name has the year) in a table [sources.yearbook.tables.NAME] of the configuration"
        " that names the file",
    )


def configured_yearbook(raw: RawFile, place: str = "") -> int | None:
    """The yearbook that the configuration states for this file, or None.

    Raises
    ------
    SourceError : the year is said to stand in the file's name, and does not.
    """
    stated = json.loads(raw.options.get("table", "{}")).get("yearbook")
    if stated != IN_NAME:
        return stated
    years = {int(match) for match in re.findall(rf"{ALONE}{YEAR}", raw.path.stem)}
    if len(years) != 1:
        problem = (
            f"has {len(years) or 'no'} years in its name, and the configuration says the yearbook's"
            " stands there"
        )
        raise SourceError(raw.name, place, problem, "Write yearbook = 2012, or rename the file")
    return years.pop()
