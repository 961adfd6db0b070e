"""City names as they occur in files since 2000, from the one list that the models use too."""

from __future__ import annotations

import csv
import difflib
import re
from functools import cache

from warehouse.project import SEEDS

# Marks of a footnote at the end of a name or a number: ① ² * † [1] and, in names, 1) and (1).
MARKS = re.compile(r"(?:[①-⑳²³¹⁰-⁹*＊※†‡]|[\[［【][0-9]{1,2}[\]］】])+$")
NUMBERED = re.compile(r"(?:[(（][0-9]{1,2}[)）]|(?<=[\u4e00-\u9fff])[0-9]{1,2}[)）])$")
LATIN_BESIDE = re.compile(
    r"[A-Za-zＡ-Ｚａ-ｚ][A-Za-zＡ-Ｚａ-ｚ'’.,·\-]*$|^[A-Za-zＡ-Ｚａ-ｚ'’.,·\-]+"
)
BETWEEN = "-－—/／·,，、_"
# What English names have after them: Hangzhou City, Hangzhou Shi.
ENGLISH_ENDING = re.compile("(?<=[a-z])(city|shi|municipality|prefecture)$")
CITY_NAMES, CITIES = SEEDS / "geography" / "city_names.csv", SEEDS / "geography" / "cities.csv"
CORRECTIONS = SEEDS / "corrections" / "city_name_misprints.csv"


def clean_name(name: str) -> str:
    """A name without the blanks (also full-width ones) that sheets put before, after and
    inside it.
    """
    return re.sub(r"[\s\u3000\ufeff\u200b\u200c\u200d]+", "", name)


@cache
def city_names() -> frozenset[str]:
    """Every name, full or short, under which a prefecture-level division has been published since
    2000.
    """
    with CITY_NAMES.open(encoding="utf-8", newline="") as handle:
        return frozenset(row["name_zh"] for row in csv.DictReader(handle))


@cache
def corrected_names() -> dict[str, str]:
    """Misprints that several sources share -> the city that each can only mean."""
    with CORRECTIONS.open(encoding="utf-8", newline="") as handle:
        return {row["name_printed"]: row["city_name"] for row in csv.DictReader(handle)}


@cache
def province_names() -> dict[str, str]:
    """Full names of the 31 provinces and municipalities -> two-digit codes."""
    with CITIES.open(encoding="utf-8", newline="") as handle:
        return {row["province_name_zh"]: row["province_code"] for row in csv.DictReader(handle)}


def without_marks(text: str) -> str:
    """A name or number without the marks of footnotes at its end, and without blanks
    before them.
    """
    return MARKS.sub("", text).rstrip()


@cache
def city_name(printed: str) -> str:
    """The published name that a printed one stands for; a name that is not known comes back
    cleaned.

    Known are names with a footnote's mark, with the English name beside the Chinese (杭州市
    Hangzhou), with their province before them (浙江杭州, 浙江省杭州市), and those that say 市辖区
    after them; English names that one city alone has, and codes of divisions (330100, 3301). A
    misprint is not, unless it is listed among the corrections: nobody guesses which city it means.
    """
    cleaned = clean_name(printed)
    plain = NUMBERED.sub("", without_marks(cleaned))
    for name in (cleaned, plain, LATIN_BESIDE.sub("", plain)):
        for found in (
            name,
            _without_province(name),
            name.removesuffix("市辖区"),
            name.removesuffix("辖区"),
            _without_province(name.removesuffix("辖区")),
        ):
            if found in city_names():
                return found
            if found in corrected_names():
                return corrected_names()[found]
    if cleaned.isascii() and cleaned:
        named = _of_code(cleaned) if cleaned.isdecimal() else cities_in_english(cleaned)
        return named[0] if len(named) == 1 else cleaned
    return cleaned


def cities_in_english(name: str) -> tuple[str, ...]:
    """The cities of today that an English name can mean: of Suzhou there are two."""
    plain = re.sub("[^a-z]", "", name.lower())
    names = _english()
    return names.get(plain) or names.get(ENGLISH_ENDING.sub("", plain), ())


@cache
def _english() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    with CITIES.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            plain = re.sub("[^a-z]", "", row["city_name_en"].lower())
            found[plain] = (*found.get(plain, ()), row["city_name_zh"])
    return found


def _of_code(code: str) -> tuple[str, ...]:
    """The name of the prefecture-level division that has or had a code of four digits, or of six
    with two zeros at the end.
    """
    four = code.removesuffix("00") if len(code) == 6 else code
    name = _full_names().get(four)
    return () if name is None else (name,)


@cache
def _full_names() -> dict[str, str]:
    """Codes of four digits -> the full name, of a division that was renamed the last; without the
    codes that provinces give to several counties of theirs (4290).
    """
    with CITY_NAMES.open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if not re.search("[(（]", row["name_zh"])]
    rows.sort(key=lambda row: (row["last_year"], len(row["name_zh"])))
    return {
        row["division_code"]: row["name_zh"] for row in rows if row["division_code"][2:] != "90"
    }


@cache
def _provinces_of_cities() -> dict[str, frozenset[str]]:
    """City names -> codes of the provinces that have had a city of that name."""
    with CITY_NAMES.open(encoding="utf-8", newline="") as handle:
        found: dict[str, set[str]] = {}
        for row in csv.DictReader(handle):
            found.setdefault(row["name_zh"], set()).add(row["province_code"])
    return {name: frozenset(codes) for name, codes in found.items()}


@cache
def province_prefixes() -> dict[str, str]:
    """Full and short names of provinces -> codes, the longest first."""
    full = province_names()
    short = {
        re.sub(r"(维吾尔|壮族|回族)?自治区$|省$|市$", "", name): code for name, code in full.items()
    }
    return dict(sorted({**short, **full}.items(), key=lambda pair: -len(pair[0])))


def _without_province(name: str) -> str:
    """What follows the name of a province, if that is a city of this province."""
    for province, code in province_prefixes().items():
        rest = name.removeprefix(province).lstrip(BETWEEN)
        if name.startswith(province) and code in _provinces_of_cities().get(rest, ()):
            return rest
    return name


@cache
def nearest_names(name: str) -> tuple[str, ...]:
    """Up to three known names that look most like one that matches nothing; of equals, those with
    the same characters in the same places.
    """
    wanted = clean_name(name)
    if wanted.isascii():
        plain = re.sub("[^a-z]", "", wanted.lower())
        alike = difflib.get_close_matches(plain, _english(), n=3, cutoff=0.6)
        near = (city for english in alike for city in _english()[english])
        return cities_in_english(wanted) or tuple(near)[:3]

    def likeness(known: str) -> tuple[float, int]:
        return difflib.SequenceMatcher(None, known, wanted).ratio(), sum(
            a == b for a, b in zip(known, wanted, strict=False)
        )

    close = difflib.get_close_matches(wanted, sorted(city_names()), n=30, cutoff=0.3)
    return tuple(sorted(close, key=likeness, reverse=True)[:3])


@cache
def unknown_name_detail(name: str) -> str:
    """What a row set aside as `unknown_city` says."""
    near = nearest_names(name)
    return f"{name} (nearest names: {', '.join(near)})" if near else name
