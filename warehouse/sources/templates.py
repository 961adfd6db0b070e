"""An empty file for each source: the right heads and one example row, which the source's own reader
accepts.

The heads are taken from the readers, so that a template cannot promise what they do not know. The
example is marked in a column that no reader reads.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import CitytradeError
from warehouse.sources import SOURCES

MARK_HEAD, MARK = "备注", "示例 EXAMPLE: put your own rows in its place"
CITY, CODE, YEAR = "杭州市", "330100", "2015"


@dataclass(frozen=True)
class Template:
    """A layout's empty file.

    file : the name that it is written under; where `in_name` says so, the reader takes something
        from it
    rows : lines of cells, or the file's whole text
    """

    layout: str
    file: str
    rows: Sequence[Sequence[str]] | str
    in_name: str = ""

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads of a table, without that of the mark."""
        if isinstance(self.rows, str):
            return ()
        longest = max(self.rows, key=len)
        return tuple(head for head in longest if head and head != MARK_HEAD)

    def as_bytes(self) -> bytes:
        """The file: a workbook where its name says so, else text that spreadsheets open as it is
        meant.
        """
        if isinstance(self.rows, str):
            return self.rows.encode()
        if self.file.endswith(".xlsx"):
            from openpyxl import Workbook

            book, sink = Workbook(), io.BytesIO()
            for row in self.rows:
                book.active.append([float(cell) if _is_number(cell) else cell for cell in row])
            book.save(sink)
            return sink.getvalue()
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows(self.rows)
        return text.getvalue().encode("utf-8-sig")


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).isdecimal()


def _table(layout: str, file: str, row: Mapping[str, str], in_name: str = "") -> Template:
    return Template(layout, file, [[*row, MARK_HEAD], [*row.values(), MARK]], in_name)


def _customs() -> list[Template]:
    from warehouse.sources.customs.layouts import HEADS

    example = {
        "date_text": "2015-03", "flow_text": "出口", "hs_text": "84713000", "value_text": "12500",
        "quantity_text": "25", "quantity_unit": "台", "firm_code": "3301000001",
        "firm_name": "示例公司", "production_place": "33019", "partner_name": "美国",
        "trade_mode_name": "一般贸易", "postcode": "310000", "telephone": "0571-85012345",
    }  # fmt: skip
    heads = {field: HEADS[field][0] for field in example} | {"production_place": "消费地或生产地"}
    heads["hs_text"] = "HS编码"
    row = {heads[field]: cell for field, cell in example.items()}
    return [_table("2005_chinese_csv", "customs_2015.csv", row)]


def _yearbook() -> list[Template]:
    from warehouse.sources.yearbook.headers import HEADERS, panel_head

    first = {header.indicator: header for header in reversed(HEADERS)}
    values = {"gdp_cny": "100535900", "population_registered_n": "723.55"}
    row = {"城市": CITY, "行政区划代码": CODE, "年份": YEAR}
    row |= {
        panel_head(first[indicator], "city"): values.get(indicator, "")
        for indicator in dict.fromkeys(header.indicator for header in HEADERS)
    }
    return [_table("panel_indicator_scope_unit", "yearbook.csv", row)]


def _digital_finance() -> list[Template]:
    from warehouse.sources.digital_finance import COMPONENTS

    row = {"year": YEAR, "city_name": CITY, "city_code": "3301"}
    row |= dict.fromkeys(COMPONENTS, "200.5")
    return [_table("csv", "digital_finance.csv", row)]


def _concordance() -> list[Template]:
    from warehouse.sources.concordance import elasticities, industries

    sigma = dict(zip(elasticities.COLUMNS, ("China", "841", "2.5"), strict=True))
    pair = dict(
        zip(industries.OWN_COLUMNS, ("26", "class", "4011", "通信传输设备制造"), strict=True)
    )
    return [
        _table("elasticities_table", "elasticities.csv", sigma),
        _table("gbt_isic_csv", "gbt_isic.csv", pair),
    ]


def _divisions() -> list[Template]:
    pairs = {"110000": "北京市", CODE: CITY}
    text = json.dumps(pairs, ensure_ascii=False, indent=1) + "\n"
    return [
        Template("gb2260_json", "EXAMPLE_201512.json", text, "the year and month of the vintage")
    ]


def _postcodes() -> list[Template]:
    from warehouse.sources.postcodes import COLUMNS

    cells = ("浙江省", CITY, "上城区", "120.17", "30.25", "310002")
    return [_table("district_csv", "postcodes.csv", dict(zip(COLUMNS, cells, strict=True)))]


def _geography() -> list[Template]:
    from warehouse.sources.geography import PAIR_COLUMNS, PORT_COLUMNS

    seat = {"城市": CITY, "城市代码": "3301", "经度": "120.17", "纬度": "30.25"}
    port = dict(zip(PORT_COLUMNS, ("宁波港", "Ningbo", "121.85", "29.94"), strict=True))
    pair = dict(zip(PAIR_COLUMNS, (CODE, "330400"), strict=True))
    return [
        _table("seats", "seats.csv", seat),
        _table("ports_csv", "ports.csv", port),
        _table("adjacency_csv", "adjacency.csv", pair),
    ]


def _prices() -> list[Template]:
    from warehouse.sources.prices.exchange import RATE_HEAD, YEAR_HEAD

    rate = {YEAR_HEAD: YEAR, RATE_HEAD: "6.2284"}
    goods = ("居民消费价格指数", "食品", "衣着", "居住", "交通和通信", "医疗保健")
    consumer = {"城市": CITY, "年份": YEAR} | dict.fromkeys(goods, "101.4")
    province = {"省份": "浙江省", "年份": YEAR, "居民消费价格指数(上年=100)": "101.4"}
    return [
        _table("exchange_rates", "exchange_rates.csv", rate),
        _table("consumer_prices", "consumer_prices.csv", consumer),
        _table("provincial_prices_table", "provincial_prices.csv", province),
    ]


def _policies() -> list[Template]:
    from warehouse.sources.policies import OWN_COLUMNS

    cells = ("cross_border_ecommerce", "1", YEAR, "2015-03-07", "国函〔2015〕44号", CITY, "city",
             "seen")  # fmt: skip
    return [_table("policy_zones_csv", "policies.csv", dict(zip(OWN_COLUMNS, cells, strict=True)))]


def _firms() -> list[Template]:
    row = {
        "年份": "2007", "法人代码": "123456789", "企业名称": "示例公司", "省地县码": "330102",
        "行业代码": "4011", "开业成立时间年": "1998", "工业总产值_当年价格千元": "52000",
        "工业增加值千元": "14000", "工业中间投入合计千元": "39000", "应交增值税千元": "1000",
        "全部从业人员年平均人数人": "210", "应付工资薪酬总额千元": "6300",
        "固定资产原价合计千元": "21000", "固定资产净值年平均余额千元": "15000",
        "其中出口交货值千元": "8000", "实收资本千元": "9000", "邮政编码": "310000",
        "电话号码": "85012345",
    }  # fmt: skip
    return [_table("units_in_heads_csv", "firms_2007.csv", row)]


def _history() -> list[Template]:
    row = {
        "城市": CITY, "1984年邮电局数(个)": "86", "1984年电话机数(万部)": "2.1",
        "1984年人口密度(人/平方公里)": "1502", "1933年是否通铁路": "是",
        "市辖区土地面积(平方公里)": "430",
    }  # fmt: skip
    return [_table("city_history", "city_history.csv", row)]


def _innovation() -> list[Template]:
    row = {"城市": CITY, "年份": YEAR, "创新指数": "350.1"}
    return [_table("workbook", "innovation.xlsx", row)]


def _risk() -> list[Template]:
    row = {"month": "2015M03", "GPRC_CHN": "0.52", "GPRC_USA": "2.31"}
    return [_table("gpr_export", "geopolitical_risk.csv", row)]


def _marketisation() -> list[Template]:
    heads = ["地区", "2014", "2015", "2016", MARK_HEAD]
    rows = [["中国各省份市场化总指数"], heads, ["浙江省", "9.73", "10.0", "9.97", MARK]]
    return [Template("provinces_by_year", "marketisation.csv", rows)]


def _world_trade() -> list[Template]:
    from warehouse.sources.world_trade import COUNTRY_HEADS, INCOME_HEADS

    flow = dict(zip("tijkvq", ("2015", "156", "842", "847130", "12.5", "0.3"), strict=True))
    country = dict(zip(COUNTRY_HEADS[0], ("156", "China", "CHN"), strict=True))
    income = dict(zip(INCOME_HEADS, ("China", "CHN", "NY.GDP.PCAP.KD"), strict=True))
    return [
        _table("baci_flows", "baci_flows.csv", flow),
        _table("baci_countries", "baci_countries.csv", country),
        _table("wdi_csv", "gdp_per_head.csv", income | {"2014": "7532.8", "2015": "8016.4"}),
    ]


def _census() -> list[Template]:
    output = {
        "年份": "2004", "行政区划代码": "330102", "行业代码": "4011",
        "工业总产值(当年价格)(千元)": "52000", "企业数": "3",
    }  # fmt: skip
    trade = {
        "年份": "2013",
        "行业": "零售业",
        "主营业务收入(亿元)": "120",
        "其中:互联网(亿元)": "6",
    }
    investment = {"年份": YEAR, "全国信息传输、软件和信息技术服务业固定资产投资(亿元)": "5517"}
    return [
        _table("census_output", "economic_census_2004.csv", output),
        _table("census_internet_trade", "internet_trade.csv", trade),
        _table("internet_investment", "internet_investment.csv", investment),
    ]


def _reports() -> list[Template]:
    text = (
        "示例 EXAMPLE。这里放政府工作报告的全文，一座城市一年一个文件，文件名写明城市和年份。"
        "各位代表：现在，我代表市人民政府，向大会报告政府工作，请予审议。一、过去一年的工作。"
        "二、今年的主要任务。\n"
    )
    file = f"{CITY}{YEAR}年政府工作报告.txt"
    return [Template("report_text", file, text, "the city and the year")]


_MADE: Mapping[str, Callable[[], list[Template]]] = {
    "customs": _customs,
    "yearbook": _yearbook,
    "digital_finance": _digital_finance,
    "concordance": _concordance,
    "divisions": _divisions,
    "postcodes": _postcodes,
    "geography": _geography,
    "prices": _prices,
    "policies": _policies,
    "firms": _firms,
    "history": _history,
    "innovation": _innovation,
    "risk": _risk,
    "marketisation": _marketisation,
    "world_trade": _world_trade,
    "census": _census,
    "reports": _reports,
}
WITHOUT = {
    "input_output": (
        "an input-output table is a matrix of thousands of cells that must add up, which nobody"
        " types: take it as the OECD ships it (national tables, or ICIO as csv or zip)"
    ),
}


def templates(source: str) -> list[Template]:
    """A source's templates, the usual one first; none where `WITHOUT` says why."""
    return _MADE[source]() if source in _MADE else []


def template(source: str, layout: str | None = None) -> Template:
    """
    Raises
    ------
    CitytradeError : no such source (the nearest are named), one without a template, or no such
        layout.
    """
    import difflib

    if source not in SOURCES:
        near = difflib.get_close_matches(source, SOURCES, n=2)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(SOURCES)}."
        raise CitytradeError(f"template {source}: no source is called so. {hint}")
    if source in WITHOUT:
        raise CitytradeError(f"template {source}: there is none: {WITHOUT[source]}.")
    found = templates(source)
    chosen = next((one for one in found if layout in (None, one.layout)), None)
    if chosen is None:
        there = ", ".join(one.layout for one in found)
        raise CitytradeError(f"template {source}: no layout {layout!r}. There are: {there}.")
    return chosen


def write_template(chosen: Template, file: Path) -> None:
    """Write a template's file, never over another.

    Raises
    ------
    CitytradeError : something stands there already, or the folder cannot be written to.
    """
    try:
        with file.open("xb") as sink:
            sink.write(chosen.as_bytes())
    except FileExistsError as error:
        raise CitytradeError(
            f"{file}: is there already, and is not written over. Name another with --out FILE."
        ) from error
    except OSError as error:
        raise CitytradeError(
            f"{file}: cannot be written ({error.strerror}). Name another place with --out FILE."
        ) from error
