"""Heads as files really have them, changed at random: each is read the same, or not at all, and
never as something else.
"""

from __future__ import annotations

import random

import pytest

from warehouse.sources.yearbook.headers import HEADERS, panel_head, sheet_head, unit_scope_head
from warehouse.sources.yearbook.parsing import Quantity, quantity_or_reason, split_glued, split_head

# Heads of official sheets and panels that count something else than the heads nearest to them.
OTHERS = (
    "建成区面积(平方公里)", "年平均人口(万人)", "人口密度(人/平方公里)",
    "城市建设用地占市区面积比重(%)", "年末耕地总资源(千公顷)", "人均地区生产总值(元)",
    "地区生产总值增长率(%)",
    "第二产业增加值占GDP比重(%)", "第一产业占地区生产总值的比重(%)", "实际地区生产总值_全市_万元",
    "地区生产总值_2000年不变价_全市_万元", "规模以上工业总产值_当年价格_全市_万元", "医院数(个)",
    "执业(助理)医师数(人)",
    "普通高中(万人)", "专利授权数_其中发明_全市_件", "城镇非私营单位在岗职工工资总额(万元)",
    "邮政行业业务收入(万元)", "限额以上单位商品零售额(万元)", "工业氮氧化物排放量(吨)",
    "工业二氧化硫产生量_全市_吨", "每万人在校大学生数(人)", "年末实有城市道路面积(万平方米)",
    "高速公路里程(公里)",
    "商品房销售面积(万平方米)", "省份", "胡焕庸线",
)  # fmt: skip
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F) if chr(code) not in "_&%"}
ENGLISH = (
    " Total Population at Year-end",
    "\nGross Regional Product (10 000 yuan)",
    "\r\nPersons Employed\r\nin Urban Units",
    " #Area of Built Districts",
)


def blanks(head: str, rng: random.Random) -> str:
    at = rng.randrange(len(head) + 1)
    return (
        head[:at]
        + rng.choice((" ", "\u3000", "\n", "\r\n", "_x000D_\n", "\u200b", "\u00a0"))
        + head[at:]
    )


def footnote(head: str, rng: random.Random) -> str:
    at = rng.choice([len(head), *(at for at, char in enumerate(head) if char in "(_" and at)])
    return head[:at] + rng.choice(("①", "②", "*", "[1]", "※")) + head[at:]


def full_width(head: str, rng: random.Random) -> str:
    return "".join(
        chr(FULL_WIDTH.get(ord(char), ord(char))) if rng.random() < 0.7 else char for char in head
    )


def english(head: str, rng: random.Random) -> str:
    return head + rng.choice(ENGLISH)


def of_which(head: str, rng: random.Random) -> str:
    return rng.choice(("其中：", "#", "(1)", "⑵")) + head


def without_unit(head: str, rng: random.Random) -> str:
    at = max(head.rfind("("), head.rfind("_"))
    return head[:at] if at > 0 else head


def lost_character(head: str, rng: random.Random) -> str:
    if head.startswith("_"):
        return head
    stem = min(
        at if at > 0 else len(head)
        for at in (head.find("("), head.find("_"), head.find("（"), head.find("＿"))
    )
    at = rng.randrange(stem)
    return head[:at] + head[at + 1 :]  # of the stem: a unit without 万 is another unit


def doubled(head: str, rng: random.Random) -> str:
    return head + rng.choice(("增长率", "(亿元)", "占比", "_2005年", "_不变价"))


KEEPING = (
    blanks,
    footnote,
    full_width,
    english,
    of_which,
)  # what people and programs do to a head without changing it
CHANGES = (*KEEPING, without_unit, lost_character, doubled)


def heads() -> list[str]:
    known = [
        text
        for header in HEADERS
        for text in (
            sheet_head(header),
            panel_head(header, "city"),
            unit_scope_head(header, "district", header.unit),
        )
    ]
    return [*known, *OTHERS]


def meaning(head: str) -> Quantity | None:
    found = quantity_or_reason(split_glued(head) or split_head(head), head)
    return found if isinstance(found, Quantity) else None


def test_none_of_the_others_is_read():
    assert [head for head in OTHERS if meaning(head) is not None] == []


@pytest.mark.parametrize("seed", range(8))
def test_changed_heads_are_read_the_same_or_not_at_all(seed):
    rng = random.Random(seed)
    for head in rng.sample(heads(), 200):
        before, text = meaning(head), head
        for change in rng.sample(CHANGES, rng.randint(1, 3)):
            text = change(text, rng) or head
        after = meaning(text)
        assert after is None or (before is not None and after.indicator == before.indicator), (
            f"{head!r} became {text!r}"
        )
        if after is not None and before is not None and after.year is None:
            assert after.factor == before.factor or "亿元" in text, f"{head!r} became {text!r}"


@pytest.mark.parametrize("change", KEEPING)
def test_what_does_not_change_a_head_does_not_lose_it(change):
    rng = random.Random(1)
    lost = [
        text
        for header in HEADERS
        for text in [change(sheet_head(header), rng)]
        if meaning(text) != meaning(sheet_head(header))
    ]
    assert lost == []
