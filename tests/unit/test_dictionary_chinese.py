"""The Chinese definitions of the dictionary say what the English ones do, as far as a program can
see it: the same numbers, names, formulas and gaps, in the punctuation of their language.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby

import pytest

from warehouse.dictionary.entries import read_dictionary

CHINESE = "\u4e00-\u9fff"
# Scales that a number, or a unit alone, has behind it: 10,000 CNY is 万元, a million 100 万.
ENGLISH_SCALE = re.compile(r"(?:(?P<digits>\d[\d,.]*) |(?P<half>half a ))?(?P<scale>million)")
CHINESE_SCALE = re.compile(r"(?P<digits>\d[\d,.]*)? ?(?P<scale>百万|万|亿)")
SCALES = {"million": 10**6, "百万": 10**6, "万": 10**4, "亿": 10**8}
# A minus is a sign only where neither a span (2013-2020) nor a name (GB/T 4754-2002) goes before.
NUMBER = re.compile(r"(?<![A-Za-z0-9_.])-?\d+(?:[.,]\d+)*")
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
UNITS = {"CNY", "USD", "US", "km2"}  # said in words: 元, 美元, 平方公里


def numbers(text: str, scales: re.Pattern[str]) -> Counter[str]:
    """The numbers of a text with their signs, those of a scale written out."""

    def written_out(found: re.Match[str]) -> str:
        parts = found.groupdict()
        times = 0.5 if parts.get("half") else float((parts["digits"] or "1").replace(",", ""))
        return f" {times * SCALES[parts['scale']]:.0f} "

    plain = scales.sub(written_out, text)
    return Counter(re.sub(r",(?=\d{3})", "", found) for found in NUMBER.findall(plain))


def names(text: str) -> set[str]:
    """Columns, tables, papers, abbreviations: words with a figure, an underscore or capitals."""
    return {
        word
        for word in WORD.findall(text)
        if re.search(r"[0-9_]|[a-zA-Z][A-Z]", word) and word not in UNITS
    }


def operators(text: str) -> Counter[str]:
    return Counter(re.findall(r"[+/|=^]|(?<= )-(?= )", text))


def differences(english: str, chinese: str) -> list[str]:
    """What one of two definitions says and the other does not."""
    pairs = {
        "numbers": (numbers(english, ENGLISH_SCALE), numbers(chinese, CHINESE_SCALE)),
        "names": (names(english), names(chinese)),
        "operators": (operators(english), operators(chinese)),
        "null": (len(re.findall(r"\bnull\b", english)), len(re.findall("为空(?!串)", chinese))),
        "else": (len(re.findall(r"\belse\b", english)), chinese.count("否则")),
    }
    found = [f"{what}: {one} and {other}" for what, (one, other) in pairs.items() if one != other]
    strange = set(WORD.findall(chinese)) - set(WORD.findall(english))
    return found + [f"in Chinese alone: {word}" for word in sorted(strange)]


def faults(chinese: str) -> list[str]:
    """Where a text breaks the rules of Chinese print."""
    rules = {
        f"[{CHINESE}][,.;:!?]|[,;:!?][{CHINESE}]": "ASCII punctuation beside Chinese",
        f"[{CHINESE}] *[()] *[{CHINESE}]": "an ASCII bracket between Chinese",
        "[\"']": "an ASCII quotation mark",
        f"[{CHINESE}][A-Za-z0-9]|[A-Za-z0-9][{CHINESE}]": "no space between Chinese and Latin",
        "[，。；：、（）] | [，。；：、（）]|  ": "a blank too many",
        "[，。；：、][，。；：、]": "two signs in a row",
        "(?<!。)$": "no full stop at the end",
    }
    found = [why for rule, why in rules.items() if re.search(rule, chinese)]
    is_even = chinese.count("（") == chinese.count("）")
    return found if is_even else [*found, "a bracket without its other half"]


def test_the_chinese_definitions_say_what_the_english_ones_do() -> None:
    found = {
        name: differences(one.definition, one.definition_zh)
        for name, one in read_dictionary().items()
    }
    assert {name: said for name, said in found.items() if said} == {}


def test_the_chinese_definitions_are_printed_as_chinese_is() -> None:
    found = {name: faults(one.definition_zh) for name, one in read_dictionary().items()}
    assert {name: said for name, said in found.items() if said} == {}


def test_the_same_definition_has_the_same_words_in_both_languages() -> None:
    both = sorted({(one.definition, one.definition_zh) for one in read_dictionary().values()})
    for at in (0, 1):
        parted = groupby(sorted(both, key=lambda pair: pair[at]), key=lambda pair: pair[at])
        assert [text for text, pairs in parted if len(list(pairs)) > 1] == []


@pytest.mark.parametrize(
    ("name", "right", "wrong", "what"),
    [
        ("zone_lead_1_did", "-1", "1", "numbers"),
        ("event_time", "2015", "2016", "numbers"),
        ("ln_fdi", "万元", "元", "numbers"),
        ("size_group", "50 万", "5 万", "numbers"),
        ("output_usd_million", "产出", "产出，百万美元", "numbers"),
        ("export_value_cny", "cny_per_usd", "gdp_deflator_2000", "names"),
        ("agglomeration", "ecommerce_resilience", "agglomeration_resilience", "names"),
        ("gdp_growth_pct", " - ", " + ", "operators"),
        ("interaction_index", "(u1 + u2)", "(u1 * u2)", "operators"),
        ("zone_did", "没有任何综试区时为空", "没有任何综试区时为零", "null"),
        ("zone_did", "否则为 0", "或为 0", "else"),
        ("tier", "municipality", "city", "in Chinese alone"),
    ],
)
def test_a_slip_is_seen(name: str, right: str, wrong: str, what: str) -> None:
    one = read_dictionary()[name]
    assert right in one.definition_zh
    said = differences(one.definition, one.definition_zh.replace(right, wrong, 1))
    assert [line for line in said if line.startswith(what)], said


@pytest.mark.parametrize(
    "text",
    [
        "出口额,全市。",
        "出口额(全市)的值。",
        "全市 GDP 的值",
        "全市GDP。",
        "出口额， 全市。",
        "（全市。",
    ],
)
def test_what_is_not_printed_as_chinese_is_is_seen(text: str) -> None:
    assert faults(text)
