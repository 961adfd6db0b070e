"""Makes tables of cities by chance, in the ways that real ones differ in, with what they say."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pandas as pd

from tests.faults.xls import cells_of, xls_bytes

Rows = list[list[object]]
YEARS = (2009, 2010, 2011, 2012)
# Code, full name, short name, name with its province, English name, a former name.
CITIES = (
    ("1100", "北京市", "北京", "北京市", "Beijing", "北京市"),
    ("1301", "石家庄市", "石家庄", "河北石家庄", "Shijiazhuang", "石家庄市"),
    ("3301", "杭州市", "杭州", "浙江省杭州市", "Hangzhou", "杭州市"),
    ("3302", "宁波市", "宁波", "浙江宁波", "Ningbo", "宁波市"),
    ("4206", "襄阳市", "襄阳", "湖北襄阳", "Xiangyang", "襄樊市"),
    ("1507", "呼伦贝尔市", "呼伦贝尔", "内蒙古呼伦贝尔", "Hulun Buir", "呼伦贝尔盟"),
    ("5308", "普洱市", "普洱", "云南省普洱市", "Pu'er", "思茅地区"),
    ("2202", "吉林市", "吉林市", "吉林吉林市", "Jilin", "吉林市"),
    ("5205", "毕节市", "毕节", "贵州毕节", "Bijie", "毕节地区"),
    ("4602", "三亚市", "三亚", "海南三亚", "Sanya", "三亚市"),
    ("6101", "西安市", "西安", "陕西西安", "Xi'an", "西安市"),
)
CITY_HEADS = (
    "城市",
    "地级市",
    "城市名称",
    "地区",
    "市",
    "city",
    "city_name",
    "City",
    "ctnm",
    "名称",
)
YEAR_HEADS = ("年份", "年度", "year", "Year", "年", "时间", "yr", "Sgnyea")
MARKS = ("", "-", "—", "…", "NA", "--", "..")
BRACKETS = ("({})", "（{}）", "（单位：{}）", "_{}", "[{}]")


@dataclass(frozen=True)
class Quantity:
    """An indicator with what its head may be called, its unit, and the factor to the base unit."""

    indicator: str
    chinese: str
    english: str
    mine: str
    unit: str
    factor: float
    least: float


QUANTITIES = (
    Quantity("gdp_cny", "地区生产总值", "gdp_100m", "x1", "亿元", 1e8, 900),
    Quantity("population_registered_n", "年末总人口", "pop_10k", "x2", "万人", 1e4, 300),
    Quantity("fdi_usd", "当年实际使用外资金额", "fdi", "x3", "万美元", 1e4, 20_000),
    Quantity("hospital_beds_n", "医院床位数", "beds", "x4", "张", 1, 9_000),
)


@dataclass
class Stranger:
    """A file: its name, how it is written, what its accepted values must be, and the lines that
    only its owner can write.
    """

    name: str
    shape: str
    ways: dict[str, str]
    write: Callable[[Path], None]
    truth: dict[tuple[str, str, int], float] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.shape} {self.name} {self.ways}"


@dataclass
class Making:
    """What was drawn for a file, and the cells that it will hold."""

    rng: random.Random
    ways: dict[str, str]
    quantities: tuple[Quantity, ...]
    numbers: dict[tuple[str, str, int], float] = field(default_factory=dict)

    def pick(self, way: str, *choices: str) -> str:
        self.ways[way] = self.rng.choice(choices)
        return self.ways[way]

    def head(self, quantity: Quantity) -> str:
        style = self.ways["heads"]
        if style in ("english", "mine"):
            return quantity.english if style == "english" else quantity.mine
        if style in ("unit_row", "glued"):
            return quantity.chinese + (quantity.unit if style == "glued" else "")
        return quantity.chinese + self.ways["brackets"].format(quantity.unit)

    def name(self, city: tuple[str, ...], year: int | None) -> str:
        style = self.ways["names"]
        if style == "former" and (year is None or year < 2011):
            return city[5]
        if style == "spaced":
            return f"{city[2][0]}\u3000{city[2][1:]}" if len(city[2]) == 2 else f" {city[1]}"
        if style == "noted":
            return city[1] + self.rng.choice(("①", "*", "", " "))
        if style == "codes":
            return f"{city[0]}00"
        order = {"full": 1, "short": 2, "province": 3, "english": 4, "former": 1}
        return city[order[style]]

    def cell(self, city: tuple[str, ...], quantity: Quantity, year: int) -> object:
        """A number as it stands in the file; one of some that are missing has no truth."""
        at = CITIES.index(city)  # type: ignore[arg-type]
        number = round(quantity.least * (1 + at / 3) + 37.25 * (year - 2009), 2)
        if self.rng.random() < 0.05:
            return self.rng.choice(MARKS)
        self.numbers[city[0], quantity.indicator, year] = float(f"{number * quantity.factor:.15g}")
        if self.ways["numbers"] == "thousands":
            return f"{number:,.2f}"
        return number


def make_stranger(seed: int) -> Stranger:
    rng = random.Random(seed)
    shape = rng.choice(tuple(SHAPES))
    making = Making(rng, {}, tuple(rng.sample(QUANTITIES, rng.randint(2, len(QUANTITIES)))))
    kinds = SHAPES[shape][0]
    kind = making.pick("kind", *kinds)
    is_text = kind not in ("xlsx", "xls", "parquet")
    making.pick("city", *CITY_HEADS)
    making.pick("year", *YEAR_HEADS)
    making.pick(
        "names", "full", "short", "province", "english", "codes", "noted", "spaced", "former"
    )
    making.pick("numbers", "plain", "thousands" if is_text and kind != "dta" else "plain")
    making.pick("brackets", *BRACKETS)
    styles = ["brackets", "brackets", "english", "mine"]
    styles += ["unit_row"] if shape == "panel" and kind != "dta" else []
    making.pick("heads", *(["glued", "english", "mine"] if kind == "dta" else styles))
    making.pick("around", "nothing", "title", "notes", "both")
    sheets = SHAPES[shape][1](making)
    suffix = {"gbk": "csv", "bom": "csv", "utf8": "csv", "utf16": "txt"}.get(kind, kind)
    stem = "城市2010" if shape == "file_a_year" else f"城市数据{seed % 1000 % 90}"
    return Stranger(
        f"{stem}.{suffix}",
        shape,
        {"seed": str(seed), **making.ways},
        lambda file: write_kind(file, kind, sheets),
        making.numbers,
        _words(making, shape, list(sheets)),
    )


def _words(making: Making, shape: str, sheets: list[str]) -> dict[str, str]:
    """The lines of columns as the owner would write them, by heads or by sheets' names."""
    are_titles = shape in ("matrix", "years_across")
    heads = sheets if are_titles else [making.head(one) for one in making.quantities]
    return {
        one.indicator: f'{one.indicator} = ["{head}", "{one.unit}"]'
        for one, head in zip(making.quantities, heads, strict=False)
    }


def _panel(making: Making, years: tuple[int, ...] = YEARS, has_year: bool = True) -> Rows:
    heads: list[object] = [making.ways["city"], *([making.ways["year"]] if has_year else [])]
    order = making.rng.random() < 0.5
    keys = heads[::-1] if order else heads
    table: Rows = [["序号", *keys, *(making.head(one) for one in making.quantities), "备注"]]
    if making.ways["heads"] == "unit_row":
        units = [one.unit for one in making.quantities]
        table.append(["", *([""] * len(keys)), *units, ""])
    for number, city in enumerate(CITIES):
        for year in years:
            said = [making.name(city, year), *([year] if has_year else [])]
            cells = [making.cell(city, one, year) for one in making.quantities]
            table.append([number + 1, *(said[::-1] if order else said), *cells, ""])
    return table


def panel(making: Making) -> dict[str, Rows]:
    rows = _panel(making)
    if making.ways["names"] in ("full", "short") and making.rng.random() < 0.5:
        making.ways["provinces"] = "between"
        width = len(rows[0])
        at = next(at for at, cell in enumerate(rows[0]) if cell == making.ways["city"])
        year = next(at for at, cell in enumerate(rows[0]) if cell == making.ways["year"])
        line: list[object] = [99_999.5] * width
        line[0], line[at], line[year], line[-1] = 0, "浙江省", 2010, ""
        rows.insert(len(rows) // 2, line)
    return {"Sheet1": around(making, rows)}


def sheet_a_year(making: Making) -> dict[str, Rows]:
    return {
        f"{year}{making.rng.choice(('', '年'))}": _panel(making, (year,), has_year=False)
        for year in YEARS
    }


def file_a_year(making: Making) -> dict[str, Rows]:
    return {"Sheet1": around(making, _panel(making, (2010,), has_year=False))}


def _years(making: Making) -> list[int]:
    return list(YEARS if making.rng.random() < 0.5 else YEARS[::-1])


def years_across(making: Making) -> dict[str, Rows]:
    """A sheet an indicator, named after it."""
    sheets = {}
    for quantity in making.quantities:
        years, ending = _years(making), making.rng.choice(("", "年"))
        heads = [f"{year}{ending}" if ending else year for year in years]
        rows: Rows = [[making.ways["city"], *heads]]
        for city in CITIES:
            cells = [making.cell(city, quantity, year) for year in years]
            rows.append([making.name(city, None), *cells])
        sheets[_sheet_name(making.head(quantity))] = rows
    return sheets


def crossed(making: Making) -> dict[str, Rows]:
    """Years under each indicator, or indicators under each year."""
    years, quantities = _years(making), making.quantities
    is_below = making.pick("order", "years below", "years above") == "years below"
    pairs = (
        [(one, year) for one in quantities for year in years]
        if is_below
        else [(one, year) for year in years for one in quantities]
    )
    step = len(years) if is_below else len(quantities)
    upper: list[object] = [
        (making.head(one) if is_below else year) if at % step == 0 else ""
        for at, (one, year) in enumerate(pairs)
    ]
    lower: list[object] = [year if is_below else making.head(one) for one, year in pairs]
    rows: Rows = [[making.ways["city"], *upper], ["", *lower]]
    for city in CITIES:
        rows.append([making.name(city, None), *(making.cell(city, *pair) for pair in pairs)])
    return {"Sheet1": around(making, rows)}


def stems(making: Making) -> dict[str, Rows]:
    """Heads that hold the year: gdp2010, x1_2010, 2010年地区生产总值(亿元)."""
    years = _years(making)
    pattern = making.pick("stem", "{}{}", "{}_{}", "{1}年{0}")
    if making.ways["heads"] == "glued":
        making.ways["heads"] = "english"
    if making.ways["heads"] == "mine" and pattern == "{}{}":
        pattern = making.ways["stem"] = "{}_{}"
    pairs = [(one, year) for one in making.quantities for year in years]
    heads = [pattern.format(making.head(one), year) for one, year in pairs]
    rows: Rows = [[making.ways["city"], *heads]]
    for city in CITIES:
        rows.append([making.name(city, None), *(making.cell(city, *pair) for pair in pairs)])
    return {"Sheet1": rows}


def long(making: Making) -> dict[str, Rows]:
    indicator = making.pick("indicator", "指标", "变量", "variable", "指标名称")
    value = making.pick("value", "数值", "值", "value")
    rows: Rows = [[making.ways["city"], making.ways["year"], indicator, value]]
    for city in CITIES:
        for year in YEARS:
            for one in making.quantities:
                cell = making.cell(city, one, year)
                rows.append([making.name(city, year), year, making.head(one), cell])
    return {"Sheet1": around(making, rows)}


def indicator_rows(making: Making) -> dict[str, Rows]:
    years = _years(making)
    indicator = making.pick("indicator", "指标", "变量", "指标名称", "项目")
    rows: Rows = [[making.ways["city"], indicator, *years]]
    for city in CITIES:
        for one in making.quantities:
            cells = [making.cell(city, one, year) for year in years]
            rows.append([making.name(city, None), making.head(one), *cells])
    return {"Sheet1": around(making, rows)}


def matrix(making: Making) -> dict[str, Rows]:
    """A year in each row and cities as heads; the sheet's name says what it is."""
    if making.ways["names"] == "codes":
        making.ways["names"] = "full"
    one = making.quantities[0]
    rows: Rows = [[making.ways["year"], *(making.name(city, None) for city in CITIES)]]
    for year in YEARS:
        rows.append([year, *(making.cell(city, one, year) for city in CITIES)])
    return {_sheet_name(making.head(one)): rows}


def _sheet_name(head: str) -> str:
    """A head without what sheets may not be called."""
    return head.replace("[", "(").replace("]", ")").replace("：", "")


def around(making: Making, rows: Rows) -> Rows:
    """A title above, remarks below, as sheets and downloads have them."""
    said = making.ways["around"]
    if making.ways["kind"] in ("dta", "parquet"):
        return rows
    above: Rows = [["2009-2012年各城市主要指标"], [""]] if said in ("title", "both") else []
    below: Rows = [[""], ["数据来源：各市统计年鉴"], ["注：部分年份为普查数据。"]]
    return [*above, *rows, *(below if said in ("notes", "both") else [])]


TEXTS = ("utf8", "bom", "gbk", "utf16")
BOOKS = ("xlsx", "xls")
SHAPES: dict[str, tuple[tuple[str, ...], Callable[[Making], dict[str, Rows]]]] = {
    "panel": ((*TEXTS, *BOOKS, "dta", "parquet"), panel),
    "sheet_a_year": (BOOKS, sheet_a_year),
    "file_a_year": ((*TEXTS, *BOOKS), file_a_year),
    "years_across": (BOOKS, years_across),
    "crossed": (BOOKS, crossed),
    "stems": ((*TEXTS, *BOOKS, "dta"), stems),
    "long": ((*TEXTS, *BOOKS, "dta", "parquet"), long),
    "indicator_rows": ((*TEXTS, *BOOKS), indicator_rows),
    "matrix": (BOOKS, matrix),
}


def write_kind(file: Path, kind: str, sheets: dict[str, Rows]) -> None:
    rows = next(iter(sheets.values()))
    if kind in TEXTS:
        width = max(len(row) for row in rows)
        text = io.StringIO()
        padded = [[*row, *([""] * (width - len(row)))] for row in rows]
        csv.writer(text, delimiter="\t" if kind == "utf16" else ",").writerows(padded)
        encoding = {"utf8": "utf-8", "bom": "utf-8-sig", "gbk": "gb18030", "utf16": "utf-16"}[kind]
        file.write_bytes(text.getvalue().encode(encoding))
    elif kind == "xlsx":
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, table in sheets.items():
            sheet = book.create_sheet(name)
            for row in table:
                sheet.append([None if cell == "" else cell for cell in row])
        book.save(file)
    elif kind == "xls":
        plain = {name: [[_plain(cell) for cell in row] for row in sheets[name]] for name in sheets}
        file.write_bytes(xls_bytes({name: cells_of(table) for name, table in plain.items()}))
    else:
        _write_frame(file, kind, rows)


def _plain(cell: object) -> object:
    return float(cell) if isinstance(cell, int) else cell


def _write_frame(file: Path, kind: str, rows: Rows) -> None:
    heads = [str(head) for head in rows[0]]
    if kind == "dta":  # as Stata names what begins with a figure
        heads = [f"_{head}" if head[0].isdecimal() else head for head in heads]
    frame = pd.DataFrame(rows[1:], columns=heads)
    for head in frame.columns:
        numbers = pd.to_numeric(frame[head], errors="coerce")
        is_number = numbers.notna().sum() > len(frame) / 2 and head not in CITY_HEADS
        frame[head] = numbers if is_number else frame[head].astype(str)
    if kind == "parquet":
        frame.to_parquet(file)
    else:
        for head in frame.columns:
            if frame[head].dtype == object and frame[head].nunique() > 1:
                frame[head] = frame[head].astype("category")  # stored as codes with value labels
        frame.to_stata(file, write_index=False, version=118)
