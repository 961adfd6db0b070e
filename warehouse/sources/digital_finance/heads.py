"""The index's columns and what people call them, in tables of cities and of provinces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from warehouse.dictionary.places import (
    clean_name,
)
from warehouse.lake.schema import Tables

MEASURES = dict.fromkeys(
    (
        "index_aggregate",
        "coverage_breadth",
        "usage_depth",
        "payment",
        "insurance",
        "monetary_fund",
        "investment",
        "credit",
        "credit_investigation",
        "digitization_level",
    ),
    "double",
)
TABLES: Tables = {
    "digital_finance__cities": {
        "year": "smallint",
        "name_2018": "varchar",
        "name_2018_en": "varchar",
        "code_2018": "varchar",
        "name_2014": "varchar",
        "code_2014": "varchar",
        **MEASURES,
    },
    "digital_finance__provinces": {
        "year": "smallint",
        "province_name": "varchar",
        "province_code": "varchar",
        **MEASURES,
    },
}
CITIES, PROVINCES = "digital_finance__cities", "digital_finance__provinces"
FEWEST = 3  # measures that tell the index from another table
COMPONENTS = tuple(name for name, kind in TABLES[CITIES].items() if kind == "double")
INDEX = "index_aggregate"
# How people call the columns, the publisher's own name first.
YEAR_HEADS = ("year", "年份", "年度", "年")
MEASURE_HEADS = {
    "index_aggregate": (
        "数字普惠金融指数",
        "数字普惠金融总指数",
        "数字普惠金融",
        "总指数",
        "digital_finance_index",
        "dfi",
        "dif",
    ),
    "coverage_breadth": ("覆盖广度", "数字金融覆盖广度", "覆盖广度指数"),
    "usage_depth": ("使用深度", "数字金融使用深度", "使用深度指数"),
    "digitization_level": (
        "数字化程度",
        "普惠金融数字化程度",
        "数字化程度指数",
        "digitalization_level",
    ),
    "payment": ("支付", "支付业务", "支付指数"),
    "insurance": ("保险", "保险业务", "保险指数"),
    "monetary_fund": ("货币基金", "货币基金业务", "货币基金指数"),
    "investment": ("投资", "投资业务", "投资指数"),
    "credit": ("信贷", "信贷业务", "信贷指数"),
    "credit_investigation": ("信用", "征信", "信用业务", "信用指数"),
}


@dataclass(frozen=True)
class Shape:
    """One table's columns as published or renamed, the key among them, and how many digits its code
    has.
    """

    table: str
    code: str
    name: str
    digits: int
    columns: dict[str, tuple[str, ...]]  # lake column -> heads that it goes by

    @property
    def codes(self) -> list[str]:
        return [column for column in self.columns if "code" in column]

    @property
    def heads(self) -> dict[str, tuple[str, ...]]:
        """Every lake column's heads, with the year and the measures."""
        return {
            "year": YEAR_HEADS,
            **self.columns,
            **{name: (name, *MEASURE_HEADS[name]) for name in COMPONENTS},
        }


CITY_SHAPE = Shape(
    CITIES,
    code="code_2018",
    name="name_2018",
    digits=4,
    columns={
        "name_2018": (
            "pref_name_year18",
            "pref_name",
            "city_name",
            "cityname",
            "city",
            "城市",
            "城市名称",
            "地级市",
            "市",
        ),
        "name_2018_en": ("pref_name_year18_eng", "city_name_en", "city_en"),
        "code_2018": (
            "pref_code_year18",
            "pref_code",
            "city_code",
            "citycode",
            "code",
            "城市代码",
            "行政区划代码",
            "地区代码",
            "市代码",
        ),
        "name_2014": ("pref_name_year14",),
        "code_2014": ("pref_code_year14",),
    },
)
PROVINCE_SHAPE = Shape(
    PROVINCES,
    code="province_code",
    name="province_name",
    digits=2,
    columns={
        "province_name": ("prov_name", "province_name", "province", "省份", "省", "地区"),
        "province_code": ("prov_code", "province_code", "省份代码", "行政区划代码", "省代码"),
    },
)


def has_heads(heads: Iterable[object]) -> bool:
    """A year and one of the measures, by any of their names; the words for payment or credit alone
    could be anything.
    """
    names = {clean_name(str(head)).lower() for head in heads}
    measures = {name for measure in COMPONENTS for name in (measure, *MEASURE_HEADS[measure])}
    return bool(names & set(YEAR_HEADS)) and (
        bool(names & {INDEX, *MEASURE_HEADS[INDEX]}) or len(names & measures) >= FEWEST
    )


def shape_of(heads: list[str]) -> Shape | None:
    """Cities or provinces; None for counties."""
    names = [clean_name(str(head)).lower() for head in heads]
    if any(name.startswith("county_") or name in ("区县", "县", "county") for name in names):
        return None
    return (
        CITY_SHAPE
        if set(names) & set(CITY_SHAPE.columns["name_2018"])
        or any(name.startswith("pref_") for name in names)
        else PROVINCE_SHAPE
    )
