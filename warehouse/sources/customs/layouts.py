"""The layouts of customs records as data: the column heads that give each away, and the heads that
mean the same thing.

Micro data circulate in one layout a period: English names exported from Access in 2000-01, mixed
names in 2002, Chinese names that change with the years, underscored ones in the Stata files of
2007-11, and one edition of all years by CSMAR. Holders add columns to them (production place,
postcode, telephone), so every layout may have every field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from warehouse.dictionary.places import clean_name

# Field -> heads that mean it, in base form (see `base_form`). Of several heads in one file the
# first listed here counts.
HEADS: dict[str, tuple[str, ...]] = {
    "date_text": ("日期", "年月", "统计年月", "数据年月", "统计日期", "进出口日期", "shipment_date",
    "date of data", "yearmonth", "date"),
    "year_text": ("年份", "年度", "year"),
    "month_text": ("月份", "month"),
    "flow_text": ("进口或出口", "进出口", "进出口分类代码", "进出口标志", "进出口类型", "exp_imp",
    "impexptypecd"),
    "hs_text": ("HS编码", "税号编码", "商品代码", "商品编码", "HS商品编码", "hs_id", "hscd",
    "commodity code"),
    "value_text": ("金额", "金额_美元", "美元", "美元值", "value", "sum_usd", "us dollar"),
    "value_cny_text": ("人民币", "金额_人民币", "人民币值", "rmb", "rmb yuan", "renminbi",
    "renminbi yuan", "cny"),
    "quantity_text": ("数量", "第一数量", "quantity"),
    "quantity_unit": ("数量单位", "第一计量单位", "计量单位", "数量单位代码", "unit",
    "quantityunitcd"),
    "firm_code": ("企业编码", "企业代码", "经营单位编码", "经营单位代码", "party_id", "entcd"),
    "firm_name": ("经营单位", "企业名称", "经营单位名称", "company", "entnm"),
    "postcode": ("邮编", "邮政编码", "zip", "zipcode", "postcode"),
    "telephone": ("电话", "电话号码", "联系电话", "tel", "telephone", "phone"),
    "production_place": (
        "消费地或生产地", "消费地进口or生产地出口", "消费地或生产地编码", "消费地或生产地代码",
        "生产地", "消费地", "货源地", "境内货源地", "境内目的地",
        "city",
    ),
    "partner_code": ("贸易伙伴编码", "起运国或目的国代码", "国家代码", "trading partner code",
    "begendcntrycd"),
    "partner_name": ("起运国或目的国", "贸易伙伴名称", "国家名称", "起运国或目的国名称", "country",
    "var18", "trading partner", "begendcntrynm"),
    "trade_mode_code": ("贸易方式编码", "贸易方式代码", "customs regime code", "trdmdcd"),
    "trade_mode_name": ("贸易方式", "贸易类型", "贸易方式名称", "shipment", "customs regime"),
}  # fmt: skip
CODE_WIDTHS = {"hs_text": 8, "postcode": 6}  # numbers among them have lost their leading zero
QUERY_ROWS_CAP = 10_000


@dataclass(frozen=True)
class CustomsLayout:
    """One layout.

    must, marks, least : a file has it if all of `must` and at least `least` of `marks` are among
        its heads, as written
    needs : fields that its files always have, besides a date, the flow, the product and the value
    has_lost_zeros : codes are numbers even where the file is text, so that a leading zero has to be
        put back
    missing : what stands for a missing value
    rows_cap : as many rows as this mean that the publisher cut the list
    is_yearly : a file without dates may be named after a year alone
    """

    name: str
    marks: frozenset[str]
    least: int
    must: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    has_lost_zeros: bool = False
    missing: str = ""
    rows_cap: int = 0
    is_yearly: bool = False

    def is_shown_by(self, heads: tuple[str, ...]) -> bool:
        present = set(heads)
        return self.must <= present and len(self.marks & present) >= self.least


def _layout(name: str, marks: str, least: int, must: str = "", **more: Any) -> CustomsLayout:
    return CustomsLayout(
        name, frozenset(marks.split("|")), least, frozenset(must.split("|")) - {""}, **more
    )


_FIRM_LEVEL = (
    "quantity_text",
    "firm_code",
    "firm_name",
    "production_place",
    "partner_name",
    "trade_mode_name",
)

# In the order in which they are looked for: the ones with marks of their own before those whose
# marks others have too.
LAYOUTS = (
    _layout(
        "csmar_2000_2016",
        "HS商品编码_HSCd|进出口分类代码_ImpExpTypeCd|金额_美元_Sum_USD|起运国或目的国代码_BegEndCntryCd"
        "|经营单位名称_EntNm|贸易方式代码_TrdMdCd"
        "|HSCd|ImpExpTypeCd|Sum_USD|BegEndCntryCd|EntNm|TrdMdCd",
        3,
        is_yearly=True,
    ),
    _layout(
        "online_query_zh",
        "贸易伙伴编码|贸易伙伴名称|第一数量|人民币|美元|贸易方式编码|注册地编码",
        2,
        "商品编码",
        missing="?",
        rows_cap=QUERY_ROWS_CAP,
    ),
    _layout(
        "online_query_en",
        "Trading partner code|Trading partner|US dollar|RMB|Customs Regime"
        " code|Quantity|Supplementary Quantity",
        2,
        "Commodity code",
        missing="?",
        rows_cap=QUERY_ROWS_CAP,
    ),
    _layout(
        "2007_stata",
        "_税号编码|_消费地进口or生产地出口|_金额|_进口或出口",
        2,
        needs=_FIRM_LEVEL,
        has_lost_zeros=True,
    ),
    _layout("2006_chinese", "进出口|企业代码|企业名称|企业类型|var18", 2, "商品代码"),
    _layout("2003_chinese", "进口或出口|起运国或目的国|企业编码|经营单位|企业性质", 2, "税号编码"),
    _layout(
        "2005_chinese_csv", "HS编码|消费地或生产地|进口或出口|起运国或目的国", 3, needs=_FIRM_LEVEL
    ),
    _layout("2002_mixed", "国家名称_C|进出口_C|贸易类型_C|hs_id", 2),
    _layout(
        "2005_english", "hs_id|party_id|exp_imp|shipment_date|company", 2, "companyType|CompanyType"
    ),
    _layout("2000_english", "hs_id|party_id|exp_imp|shipment_date|CompanyType", 3),
)


def base_form(head: str) -> str:
    """A head without what layouts hang on it: an underscore before it, an English name after a
    Chinese one, capitals.
    """
    plain = clean_name(head) if not head.isascii() else head.strip().lower()
    return plain if head.isascii() else re.sub(r"(_[A-Za-z]+)+$", "", plain.lstrip("_"))


@cache
def fields_of(heads: tuple[str, ...]) -> dict[str, str]:
    """Field -> head, for the fields that a file has."""
    by_base: dict[str, str] = {}
    for head in heads:
        by_base.setdefault(base_form(head), head)
    found = {
        field: next((by_base[base] for base in bases if base in by_base), None)
        for field, bases in HEADS.items()
    }
    return {field: head for field, head in found.items() if head is not None}


@cache
def layout_of(heads: tuple[str, ...]) -> CustomsLayout | None:
    """The layout that heads show, or none."""
    return next((layout for layout in LAYOUTS if layout.is_shown_by(heads)), None)
