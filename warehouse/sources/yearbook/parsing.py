"""Column heads taken apart: which known quantity, of which scope, in which unit, of which year.

The unit that stands in the head decides the factor to the base unit. A head that is not known, one
without a unit and one with a unit that its quantity cannot have are not read, and
`quantity_or_reason` says why.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from warehouse.dictionary.places import clean_name
from warehouse.errors import SourceError
from warehouse.sources.yearbook.headers import (
    DUPLICATE_SUFFIXES,
    HEADERS,
    IN_DOLLARS,
    SCOPES,
    SUFFIX_SCOPES,
    UNITS,
    Header,
)

MARKS = re.compile(r"[①-⑳❶-❿*＊※△▲]|\[\d{1,2}\]|［\d{1,2}］|〔\d{1,2}〕")  # footnotes
ENGLISH = re.compile(r"(?<=\))[#A-Za-z][\x00-\x7f]*$|(?<=[^\x00-\x7f])#?[A-Z][a-z]{2}[\x00-\x7f]*$")
NUMBERING = re.compile(r"^(?:其中[:,]?|#)*(?:\(\d{1,2}\)|\d{1,2}[.、])?(?:其中[:,]?|#)*")
# Words for prices of the year itself, under which a quantity in CNY is the same quantity.
CURRENT_PRICES = re.compile("按?(?:当年价格|当年价|现行价格|现价|名义)(?:计算)?的?")
UNIT_WORDS = ("单位", "计量单位")  # before a unit in its brackets: (单位:万元)
BRACKETS = str.maketrans("【】〔〕[]{}", "()()()()")
YEAR = "(?:19|20)[0-9]{2}"
NO_HEAD_KNOWN = "no column of it is known"


@dataclass(frozen=True)
class Head:
    """A column head taken apart.

    scope : city, district or None where the head does not say
    style : scope_unit (全市 before 万元), unit_scope, suffix (the scope ends the head as _wc),
        glued,
        or plain without a scope
    year : the one year that the head counts (2000年国内生产总值), or None
    """

    key: str
    scope: str | None
    unit: str | None
    style: str
    year: int | None = None


@dataclass(frozen=True)
class Quantity:
    """What the cells under a known head count: cell x factor = value in the indicator's
    base unit.
    """

    indicator: str
    scope: str | None
    factor: float
    year: int | None = None


def normal_head(text: object) -> str:
    """A head without blanks, line breaks, footnote marks and full-width forms.

    Its English half, if it has one, is cut off: 货物进口额 Import Volume of Goods is 货物进口额.
    """
    plain = unicodedata.normalize("NFKC", MARKS.sub("", str(text).replace("_x000D_", "")))
    return ENGLISH.sub("", clean_name(plain.translate(BRACKETS)))


@lru_cache(maxsize=20_000)
def split_head(text: object) -> Head:
    """Take a head apart into stem, scope, unit and year, whatever stands between them."""
    parts = _parts(NUMBERING.sub("", normal_head(text)))
    suffix = _suffix_scope(parts)
    if suffix is not None:
        parts = parts[: suffix[1]]
    scope_at = next((at for at, part in enumerate(parts) if part in SCOPES), None)
    backwards = reversed(list(enumerate(parts)))
    unit_at = next((at for at, part in backwards if _unit(part) in UNITS), None)
    rest = [part for at, part in enumerate(parts) if at not in (scope_at, unit_at)]
    year, rest = _year_of(rest)
    return Head(
        key=_key(rest),
        scope=suffix[0] if suffix else None if scope_at is None else SCOPES[parts[scope_at]],
        unit=None if unit_at is None else _unit(parts[unit_at]),
        style=_style(suffix is not None, scope_at, unit_at),
        year=year,
    )


def _parts(text: str) -> list[str]:
    """The pieces between brackets and underscores; a unit after a colon, comma or slash is
    one too.
    """
    parts: list[str] = []
    for part in re.split(r"[_()\[\]{}]", text):
        stem, _, unit = part.rpartition(next((mark for mark in ":,/" if mark in part), "\0"))
        pieces = [stem, unit] if stem and _unit(unit) in UNITS else [part]
        pieces = [piece for piece in pieces if piece not in UNIT_WORDS]
        parts.extend(piece.strip(",:") for piece in pieces)
    return [part for part in parts if part and not re.fullmatch(r"\d{1,2}", part)]


def _style(has_suffix: bool, scope_at: int | None, unit_at: int | None) -> str:
    if has_suffix:
        return "suffix"
    if scope_at is None:
        return "plain"
    return "scope_unit" if unit_at is None or scope_at < unit_at else "unit_scope"


def _suffix_scope(parts: list[str]) -> tuple[str, int] | None:
    """The scope that ends a digitised head and where it stands, or None: 地区生产总值 万元 wc x."""
    doubled = bool(parts) and parts[-1] in DUPLICATE_SUFFIXES
    for at in (len(parts) - 1, len(parts) - 2 if doubled else -1):
        if at > 0 and parts[at] in SUFFIX_SCOPES:
            return SUFFIX_SCOPES[parts[at]], at
    return None


def _year_of(parts: list[str]) -> tuple[int | None, list[str]]:
    """The year that a head counts, before its stem, after it or apart, and the parts without it.

    A year of prices (2000年不变价) is no such year: what is left of that part makes the head
    another one.
    """
    for at, part in enumerate(parts):
        match = re.fullmatch(f"({YEAR})年?(.*?)|(.+?)({YEAR})年?", part)
        if match and "价" not in part:
            rest = match[2] or match[3] or ""
            left = [*parts[:at], rest, *parts[at + 1 :]]
            return int(match[1] or match[4]), [piece for piece in left if piece]
    return None, parts


@lru_cache(maxsize=20_000)
def split_glued(text: object) -> Head | None:
    """A head in which stem, scope and unit stand together (地区生产总值万元, 年末总人口市辖区万人).

    None for one that is not known. The longest stem decides: in 移动电话年末用户数万户 the unit is
    万户, not 户.
    """
    name = _key([normal_head(text)])
    found = []
    for scope_text in ("", *SCOPES):
        for unit in UNITS:
            for ending in {f"{scope_text}{unit}", f"{unit}{scope_text}"}:
                stem = name.removesuffix(ending)
                header = find_header(stem) if stem != name else None
                if header is not None and UNITS[unit][0] == UNITS[header.unit][0]:
                    head = Head(stem, SCOPES.get(scope_text), unit, "glued")
                    found.append((len(ending), head))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def find_header(key: str) -> Header | None:
    """The entry of HEADERS with that key, prices of the year itself left out of account."""
    known = _BY_KEY.get(key)
    if known is None and CURRENT_PRICES.search(key):
        known = _BY_KEY.get(CURRENT_PRICES.sub("", key))
        return known if known is not None and known.unit.endswith("元") else None
    return known


def quantity_or_reason(head: Head, text: object, unit: str | None = None) -> Quantity | str:
    """What a head counts, or why it is not read.

    unit : the unit stated elsewhere for a head without one, above the table or by a rule
    """
    header = find_header(head.key)
    if header is None:
        near = _nearest(head.key)
        return f"not known{f'; nearest known: {near}' if near else ''}"
    kind = UNITS[header.unit][0]
    stated = head.unit or unit
    if stated is not None and UNITS[stated][0] == "usd" and header.indicator in IN_DOLLARS:
        return Quantity(IN_DOLLARS[header.indicator], head.scope, UNITS[stated][1], head.year)
    if stated is None or UNITS[stated][0] != kind:
        fitting = ", ".join(name for name, (counts, _) in UNITS.items() if counts == kind)
        said = "has no unit" if stated is None else f"has the unit {stated}, which it cannot have"
        return f"{said}; put its unit into the head (one of {fitting})"
    return Quantity(header.indicator, head.scope, UNITS[stated][1], head.year)


def known_quantity(text: object, file: str, place: str) -> Quantity | None:
    """What a head counts, or None for one that is not in HEADERS.

    Raises
    ------
    SourceError : a known quantity whose unit is missing or cannot be its own.
    """
    head = split_head(text)
    found = quantity_or_reason(head, text)
    if isinstance(found, str):
        if find_header(head.key) is None:
            return None
        said, _, remedy = found.partition("; put ")
        raise SourceError(file, place, f"column {normal_head(text)!r} {said}", f"Put {remedy}")
    return found


def unit_above(text: object, is_alone: bool = False) -> str | None:
    """The unit in a line over a table (单位：万元), or None for a line that states none.

    is_alone : nothing else may stand in the text; what stands there among heads says its own unit
    """
    plain = normal_head(text)
    match = re.search(r"(?:计量)?单位[:,]?\(?([^()]+)", plain)
    if match and is_alone and plain[: match.start()].strip("("):
        return None
    unit = _unit(match[1]) if match else None
    return unit if unit in UNITS else None


def no_known_column(
    file: str, place: str, heads: Iterable[object], why: Iterable[str] = ()
) -> SourceError:
    """The error for a sheet of which no column is read: its first heads, and the known stems
    nearest to them.
    """
    found = [normal_head(head) for head in heads if str(head).strip()][:6]
    nearest = ", ".join(
        sorted({near for head in found if (near := _nearest(split_head(head).key))})
    )
    reasons = [reason for reason in dict.fromkeys(why) if not reason.startswith("not known")][:2]
    said = f"; {'; '.join(reasons)}" if reasons else ""
    return SourceError(
        file,
        place,
        f"{NO_HEAD_KNOWN}; columns found: {', '.join(found)}; nearest known:"
        f" {nearest or 'none'}{said}",
        "Rename a column to the known name if it means the same, "
        "say what it counts under [sources.yearbook.tables], "
        "or take the file out of the configuration",
    )


@lru_cache(maxsize=5_000)
def _nearest(key: str) -> str:
    close = difflib.get_close_matches(key, list(_BY_KEY), n=1, cutoff=0.3)
    return _BY_KEY[close[0]].stem if close else ""


def _unit(part: str) -> str:
    plain = part.removeprefix("单位:").removeprefix("人民币")
    return plain.removesuffix("人民币") if plain.endswith("元人民币") else plain


def _key(parts: Iterable[str]) -> str:
    """What a stem is known by: no commas, no & (R&D is RD), letters small."""
    return re.sub(r"[、,:&/.;]", "", "".join(parts)).lower()


_BY_KEY = {_key(header.stem.split("_")): header for header in HEADERS}
