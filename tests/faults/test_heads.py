"""A small run of `python -m tests.faults.heads`, and by hand what it has found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.heads import CHANGES, Outcome, read_as, run, sheets_of
from warehouse.sources.yearbook import official
from warehouse.sources.yearbook.parsing import normal_head, split_head, unit_above
from warehouse.sources.yearbook.tables import Table

REAL = os.environ.get("CITYTRADE_REAL_DATA")
LABOUR = (
    "制造业",
    "建筑业",
    "采矿业",
    "金融业",
    "房地产业",
    "教育",
    "住宿和餐饮业",
    "批发和零售业",
    "文化体育和娱乐业",
)


def share_read_the_same(outcome: Outcome) -> float:
    kept = {kind for kind, change in CHANGES.items() if change.keeps}
    counts = {key: n for key, n in outcome.counts.items() if key[0] in kept}
    return sum(n for (_, fate), n in counts.items() if fate == "same") / sum(counts.values())


def test_no_changed_head_is_read_as_another():
    sheets = sheets_of(None)
    assert sum(len(sheet.read) for sheet in sheets) > 1_000
    outcome = run(sheets, seed=1, n=1_400)
    assert outcome.wrong == []
    assert share_read_the_same(outcome) > 0.95
    assert outcome.counts["foreign_unit", "unread"] > 50
    assert outcome.counts["changed_after", "unread"] > 50


@pytest.mark.skipif(REAL is None, reason="CITYTRADE_REAL_DATA names no folder of real files")
@pytest.mark.parametrize("folder", ["yearbook_sheets_2005_2016", "yearbook_official_2023"])
def test_nor_is_one_of_a_real_sheet(folder):
    outcome = run(sheets_of(Path(REAL or "") / folder), seed=2, n=420)
    assert outcome.wrong == []
    assert share_read_the_same(outcome) > 0.95


def test_a_unit_in_one_head_is_not_that_of_the_others():
    """Industries without a unit are in 万人, although the head beside them says (单位:人)."""
    heads = [*LABOUR, "城镇私营和个体从业人员(单位:人)"]
    table = Table(
        "从业人员",
        "sheet",
        [
            ["中国城市统计年鉴2012"],
            ["城市", *heads],
            ["", *("全市" for _ in heads)],
            ["杭州市", *(7.0 for _ in heads)],
        ],
    )
    factors = {indicator: factor for indicator, _, factor in
               read_as(table, official.VINTAGE).values()}  # fmt: skip
    assert factors["employees_manufacturing_n"] == 10_000
    assert factors["private_employees_n"] == 1


@pytest.mark.parametrize(
    ("text", "alone", "unit"),
    [
        ("单位：万元", True, "万元"),
        ("（单位：万元）", True, "万元"),
        ("计量单位: 人", True, "人"),
        ("2-16 社会消费品零售总额（单位：万元）", False, "万元"),
        ("2-16 社会消费品零售总额（单位：万元）", True, None),
    ],
)
def test_the_unit_above(text, alone, unit):
    assert unit_above(text, is_alone=alone) == unit


@pytest.mark.parametrize(
    "text",
    [
        "年末总人口(单位:万人)",
        "年末总人口（计量单位：万人）",
        "年末总人口［万人］",
        "年末总人口〔万人〕",
        "年末总人口{万人}",
        "年末总人口［万人］ Population ［10 000 persons］",
    ],
)
def test_a_unit_in_any_brackets(text):
    head = split_head(text)
    assert (head.key, head.unit) == ("年末总人口", "万人")
    assert normal_head("年末总人口[1]") == "年末总人口"
