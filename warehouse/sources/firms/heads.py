"""What the columns of the industrial enterprise surveys are called: field of the lake -> heads of
1998-2013, the surest first.

The long forms are those of the questionnaires; the cut ones (工业产值现, 固资净年余) come from
copies that kept five characters of a name. 工业总产值 alone stands for current prices; 不变价 means
prices of 1990.
"""

from __future__ import annotations

import re

FACTORS = {"千元": 1_000.0, "万元": 10_000.0, "元": 1.0}
HEADS: dict[str, tuple[str, ...]] = {
    "year": ("年份", "year", "年度"),
    "firm_code": ("法人代码", "企业法人代码", "法人单位代码", "组织机构代码", "企业代码", "B01"),
    "firm_name": ("企业名称", "法人单位", "法人单位名称", "单位名称", "单位详细名称", "B02"),
    "region_code": ("dq", "省地县码", "省地代码", "行政区代码", "行政区码", "行政区划代码", "B056",
    "B05"),
    "postcode": ("邮政编码", "邮编", "邮政编"),
    "telephone": ("电话号码", "固定电话", "电话", "联系电话", "电话号"),
    "industry_code": ("cic", "行业代码", "行业小类代码", "国民经济行业代码", "行业类别代码",
    "行业类别"),
    "opening_year": ("开业成立时间", "开业时间", "成立时间", "开工时间", "开业年份"),
    "firm_output_cny": (
        "工业总产值当年价格", "工业总产值现价新规定", "工业总产值现价", "总产值现新", "工业产值现",
        "产值现价", "工业产值当", "工业总产值",
    ),
    "firm_output_cny_1990": ("工业总产值不变价", "工业总产值不变价格"),
    "firm_value_added_cny": ("工业增加值", "增加值"),
    "intermediate_input_cny": ("工业中间投入合计", "工业中间投入", "中间投入合计", "中间投入计",
    "中间投入"),
    "value_added_tax_cny": ("应交增值税", "本年应交增值税"),
    "firm_employees_n": (
        "全部从业人员年平均人数", "从业人员平均人数", "从业人员年平均人数", "年末从业人员合计总计",
        "年末从业人员合计", "从业人数合计", "从业人数",
        "全部职工数", "全部职工", "从业人员总", "从业人员", "全部从业人", "全部人员平", "平均人数",
    ),
    "firm_wages_cny": ("应付工资薪酬总额", "本年应付工资总额", "应付职工薪酬", "应付工资总额",
    "应付工资"),
    "fixed_assets_original_cny": ("固定资产原价合计", "固定资产原价", "固定资产原值"),
    "fixed_assets_net_cny": (
        "固定资产净值年平均余额", "固定资产净值", "固资净年余", "固定资产净", "固定资产年",
        "固定资产平", "固定资产合计",
    ),
    "export_delivery_cny": ("其中出口交货值", "出口交货值"),
    "paid_in_capital_cny": ("实收资本合计", "实收资本"),
}  # fmt: skip
MONEY = tuple(field for field in HEADS if field.endswith(("_cny", "_cny_1990")))
NUMBERS = ("opening_year", "firm_employees_n", *MONEY)
WANTED = ("firm_code", "region_code", "industry_code", "firm_employees_n")


def plain_head(head: str) -> str:
    """A head by its words: 工业总产值_当年价格(千元) and 工业总产值（当年价格）千元 are one."""
    return re.sub(r"[\s_.,:;·、，。：；()（）\[\]【】/\u3000\ufeff\"'-]+", "", head)


def find_heads(heads: list[str]) -> dict[str, int]:
    """Field -> position of its head; of several heads for one field the surest counts."""
    at: dict[str, int] = {}
    for position, head in enumerate(heads):
        plain = plain_head(head)
        at.setdefault(plain, position)
        at.setdefault(re.sub(r"(千元|万元|元|人|年)$", "", plain), position)
    found = {
        field: next((at[name] for name in names if name in at), -1)
        for field, names in HEADS.items()
    }
    return {field: position for field, position in found.items() if position >= 0}
