"""The front page's configuration for one's own files, read from the page, over a handful of made-up
files where it says they lie: a newcomer checks it, refreshes, and finds his numbers.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from tests.conftest import citytrade
from warehouse.project import PROJECT
from warehouse.sources.templates import template
from warehouse.store import connect, panel

pytestmark = pytest.mark.slow

DIVISIONS = {
    "110000": "北京市", "330000": "浙江省", "330100": "杭州市", "330101": "市辖区",
    "330102": "上城区", "330122": "桐庐县",
}  # fmt: skip


def readme_block() -> str:
    """The block of the section on one's own files that names customs records."""
    section = (PROJECT / "README.md").read_text(encoding="utf-8").split("## Your own files")[1]
    blocks = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    return next(block for block in blocks if "[sources.concordance]" in block)


def write_files(folder: Path) -> None:
    """Files of each source that the block names, as their publishers ship them."""
    _write_customs(folder / "customs")
    (folder / "unsd").mkdir()
    book = openpyxl.Workbook()
    book.active.title = "Conversion HS 2007-HS 2002"
    for row in (["HS 2007", "HS 2002"], ["847130", "847130"], ["847141", "847141"]):
        book.active.append(row)
    book.save(folder / "unsd" / "HS2007toHS2002ConversionAndCorrelationTables.xlsx")
    (folder / "gb2260").mkdir()
    for vintage in ("200412", "200512", "200612", "200712"):
        text = json.dumps(DIVISIONS, ensure_ascii=False)
        (folder / "gb2260" / f"{vintage}.json").write_text(text, encoding="utf-8")
    (folder / "postcodes.csv").write_bytes(template("postcodes").as_bytes())
    (folder / "yearbooks").mkdir()
    book = openpyxl.Workbook()
    for row in (
        ["中国城市统计年鉴2006"],
        ["", "地区生产总值(当年价格)(万元)", "", "年末总人口(万人)", ""],
        ["城市", "全市", "市辖区", "全市", "市辖区"],
        ["杭州市", 29426500, 23267600, 660.45, 409.52],
    ):
        book.active.append(row)
    book.save(folder / "yearbooks" / "中国城市统计年鉴2006.xlsx")


def _write_customs(folder: Path) -> None:
    """Two exports of a firm of the district 上城 in 2005, and one in 2007."""
    (folder / "2005").mkdir(parents=True)
    (folder / "2007").mkdir()
    heads = template("customs").heads
    first = dict(zip(heads, template("customs").rows[1], strict=False)) | {"日期": "2005-03"}
    rows = [
        first,
        first | {"金额": "500", "起运国或目的国": "日本"},
    ]
    lines = [",".join(heads), *(",".join(row[head] for head in heads) for row in rows)]
    (folder / "2005" / "200503.csv").write_bytes("\n".join([*lines, ""]).encode("gb18030"))
    record = {
        "_日期": "200701", "_进口或出口": "0", "_企业编码": "3301910001", "_经营单位": "甲公司",
        "_消费地进口or生产地出口": "33019", "_海关口岸": "上海海关", "_企业性质": "私营企业",
        "_税号编码": "84713000", "_起运国或目的国": "502", "_金额": "1234.5", "_数量": "100",
        "_贸易方式": "一般贸易", "_邮编": "310002",
    }  # fmt: skip
    frame = pd.DataFrame([record])
    frame.to_stata(folder / "2007" / "part1.dta", write_index=False, version=118)


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory) -> Path:
    """The folder of somebody who copied the block, with the files where it says."""
    folder = tmp_path_factory.mktemp("newcomer")
    (folder / "data_of_mine").mkdir()
    write_files(folder / "data_of_mine")
    block = readme_block().replace('"/data/', f'"{folder}/data_of_mine/')
    (folder / "my.toml").write_text(block, encoding="utf-8")
    return folder


def test_the_block_names_only_what_customs_records_need():
    given = tomllib.loads(readme_block())
    assert set(given["sources"]) == {
        "customs", "concordance", "divisions", "postcodes", "yearbook"
    }  # fmt: skip


def test_it_is_checked_refreshed_and_answers(newcomer):
    config = str(newcomer / "my.toml")
    done = citytrade("refresh", "--check", "--config", config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "none would be refused" in done.stdout
    assert not (newcomer / "data").exists()

    done = citytrade("refresh", "--config", config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SIMULATED" not in done.stdout
    found = panel("city_year", columns=["export_value_usd", "gdp_cny"], config=config)
    hangzhou = found[found["city_code"] == "3301"].set_index("year")
    assert hangzhou.loc[2005, "gdp_cny"] == pytest.approx(29426500e4)
    assert hangzhou.loc[2005, "export_value_usd"] == pytest.approx(13_000)
    assert hangzhou.loc[2007, "export_value_usd"] == pytest.approx(1_234.5)
    with connect(config) as connection:
        fates = dict(
            connection.execute(
                "select fate, sum(records_n) from meta.customs_fates group by fate"
            ).fetchall()
        )
    assert fates["kept"] == 3
