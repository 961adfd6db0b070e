"""Writes the simulated enterprise surveys: one file a year, heads, units and encodings as copies of
those years have them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from warehouse.simulate.formats.stata import write_stata
from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.firms import SYLLABLES, Firms, area_code
from warehouse.simulate.model.geography import MUNICIPALITIES
from warehouse.simulate.model.identities import Identities, build_identities
from warehouse.simulate.model.industry import (
    DEPRECIATION,
    SURVEY_YEARS,
    TAX_SHARE,
    Industry,
    deflators,
)
from warehouse.simulate.model.shocks import Array

# Field -> head. What a year's survey does not print is not in its table.
UNITS = {
    "code": "法人代码", "name": "企业名称", "region": "dq", "industry": "cic",
    "opening": "开业成立时间年", "output": "工业总产值_当年价格千元",
    "value_added": "工业增加值千元", "materials": "工业中间投入合计千元", "tax": "应交增值税千元",
    "workers": "全部从业人员年平均人数人",
    "wages": "应付工资薪酬总额千元", "original": "固定资产原价合计千元",
    "net": "固定资产净值年平均余额千元", "exports": "其中出口交货值千元",
    "capital": "实收资本千元", "telephone": "电话号码", "postcode": "邮政编码",
}  # fmt: skip
SHORT_2002 = {
    "code": "法人代码", "name": "法人单位", "region": "省地县码", "industry": "行业代码",
    "opening": "开业时间", "output": "产值现价",
    "value_added": "工业增加值", "materials": "中间投入", "tax": "应交增值税",
    "workers": "全部职工数",
    "wages": "应付工资", "original": "固定资产原价", "net": "固定资产净", "exports": "出口交货值",
    "capital": "实收资本", "telephone": "电话", "postcode": "邮政编码",
}  # fmt: skip
NAMES_2003 = {
    "code": "法人代码", "name": "法人单位", "region": "省地县码", "industry": "行业代码",
    "opening": "开业时间", "constant": "工业总产值（不变价）",
    "output": "工业总产值（现价、新规定）", "value_added": "工业增加值",
    "materials": "工业中间投入合计", "tax": "应交增值税", "workers": "从业人数",
    "wages": "应付工资总额", "original": "固定资产原价", "net": "固定资产合计",
    "exports": "出口交货值", "capital": "实收资本", "telephone": "电话", "postcode": "邮编",
}  # fmt: skip
SHORT_2004 = {
    **SHORT_2002,
    "region": "行政区代码",
    "output": "工业产值当",
    "workers": "全部从业人",
    "value_added": "",
}
LONG_2008 = {
    "code": "组织机构代码", "name": "单位详细名称", "region": "行政区划代码",
    "industry": "行业小类代码", "opening": "成立时间",
    "output": "工业总产值_当年价格", "workers": "年末从业人员合计",
    "wages": "应付职工薪酬", "original": "固定资产原价", "net": "固定资产合计",
    "exports": "出口交货值", "capital": "实收资本", "telephone": "固定电话",
    "postcode": "邮政编码",
}  # fmt: skip
SURVEY_2010 = {
    "code": "B01", "name": "B02", "region": "B05", "industry": "行业类别代码",
    "opening": "开业成立时间_年", "output": "工业总产值当年价格",
    "workers": "年末从业人员合计_总计", "original": "固定资产原价", "net": "固定资产合计",
    "exports": "出口交货值", "capital": "实收资本", "telephone": "联系电话",
    "postcode": "邮政编码",
}  # fmt: skip
LONG_2011 = {
    **LONG_2008,
    "name": "企业名称",
    "region": "省地县码",
    "workers": "从业人员平均人数",
    "opening": "开业年份",
}
# Year -> heads, and whether the copy is a Stata file.
EDITIONS: dict[int, tuple[Mapping[str, str], bool]] = {
    **dict.fromkeys((2000, 2001, 2002), (SHORT_2002, False)),
    2003: (NAMES_2003, False),
    2004: (SHORT_2004, False),
    **dict.fromkeys((2005, 2006), (UNITS, False)),
    2007: (UNITS, True),
    **dict.fromkeys((2008, 2009), (LONG_2008, True)),
    2010: (SURVEY_2010, False),
    **dict.fromkeys((2011, 2012, 2013), (LONG_2011, False)),
}
WITH_AREA_CODE = range(2008, 2014)  # before, the number alone
TEXTS = ("code", "name", "region", "industry", "telephone", "postcode")
# What two-digit industries of GB/T 4754-2002 were called before 2003 and after 2011.
BEFORE_2003 = {"39": "40", "40": "41"}
FROM_2012 = {"31": "30", "34": "33", "35": "34", "37": "36", "39": "38", "40": "39"}
SMALL_SHARE = (
    0.01  # firms of fewer than eight workers, which have no place in the survey and slip in
)


@dataclass(frozen=True)
class _Texts:
    """Texts of each firm, fixed over its life but for the region and industry codes of the year."""

    code: list[str]
    unit: list[str]
    identities: Identities


def write_industry(
    folder: Path,
    economy: Economy,
    industry: Industry,
    firms: Firms,
    random: Mapping[str, np.random.Generator],
    progress: Callable[[str], None],
) -> dict[str, object]:
    """Write every year's survey into `folder`; returns the rows of each file and the spoilt ones
    (`industry_files`), and which enterprise is which firm of customs (`firm_matches`).

    firms : of customs, some of which are enterprises of the survey
    """
    rng = random["industry"]
    own_names, units = _names_and_units(economy, industry, rng)
    identities = build_identities(economy, industry, own_names, firms, random["identities"])
    codes = [f"{100_000_000 + 7 * i:09d}" for i in range(industry.count)]
    texts = _Texts(codes, units, identities)
    price = deflators(economy)[industry.city]
    files: dict[str, object] = {}
    for t, year in enumerate(SURVEY_YEARS):
        heads, is_stata = EDITIONS[year]
        there = np.flatnonzero(industry.present[:, t])
        table = _table(industry, texts, there, t, year, price[:, t])
        spoilt = _spoil(table, there, rng)
        kept = {field: head for field, head in heads.items() if head}
        path = folder / f"SIMULATED_firms_{year}.{'dta' if is_stata else 'csv'}"
        _write_stata(path, kept, table) if is_stata else _write_csv(path, kept, table)
        files[path.name] = {"rows": len(there), **spoilt}
    progress(f"industrial enterprises of {len(SURVEY_YEARS)} years")
    matches = identities.matches(economy, industry, firms, codes)
    return {"industry_files": files, "firm_matches": matches}


def _names_and_units(
    economy: Economy, industry: Industry, rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """The name of each enterprise and the county-level unit where it is."""
    syllables = rng.integers(0, len(SYLLABLES), (industry.count, 3)).tolist()
    names = [
        f"{economy.cities[c].name_zh[:2]}{''.join(SYLLABLES[s] for s in three)}制造厂"
        for c, three in zip(industry.city.tolist(), syllables, strict=True)
    ]
    units = []
    for c, district, draw in zip(
        industry.city.tolist(),
        industry.is_district.tolist(),
        rng.integers(0, 5, industry.count).tolist(),
        strict=True,
    ):
        prefecture = economy.cities[c].city_code
        prefecture = f"{prefecture[:2]}01" if prefecture[:2] in MUNICIPALITIES else prefecture
        units.append(f"{prefecture}{2 + draw if district else 21 + draw:02d}")
    return names, units


def _table(
    industry: Industry, texts: _Texts, there: np.ndarray, t: int, year: int, price: Array
) -> dict[str, list[object]]:
    """One year's rows by field, money in thousand CNY at the year's prices."""
    value, materials = industry.value_added[there, t], industry.materials[there, t]
    level = price[there] / 1000
    amounts = {
        "output": (value * (1 - TAX_SHARE) + materials) * level,
        "constant": (value * (1 - TAX_SHARE) + materials) / 1000,
        "value_added": value * level,
        "materials": materials * level,
        "tax": value * TAX_SHARE * level,
        "wages": industry.workers[there, t] * industry.wage[there, t] * level,
        "original": industry.capital[there, t] * level / (1 - DEPRECIATION) ** 3,
        "net": industry.capital[there, t] * level,
        "exports": (value + materials) * industry.export_share[there, t] * level * 0.9,
        "capital": industry.capital[there, 0] * 0.6 / 1000,
    }
    rows: dict[str, list[object]] = {
        field: [int(amount) for amount in np.round(values)] for field, values in amounts.items()
    }
    rows["workers"] = [int(n) for n in industry.workers[there, t]]
    identities = texts.identities
    rows["opening"] = [int(identities.opening[i]) for i in there]
    rows["code"] = [texts.code[i] for i in there]
    rows["name"] = list(identities.names_in(year, there))
    rows["telephone"] = [
        f"{area_code(industry.city[i])}-{number}" if number and year in WITH_AREA_CODE else number
        for i, number in zip(there, (identities.telephone[i] for i in there), strict=True)
    ]
    rows["postcode"] = [identities.postcode[i] for i in there]
    longer = "001000" if year >= 2004 else ""  # from 2004 on the code goes down to the village
    rows["region"] = [texts.unit[i] + longer for i in there]
    rows["industry"] = [_industry_code(industry.industry[i], year) for i in there]
    return rows


def _industry_code(industry: str, year: int) -> str:
    """A four-digit code of the classification in force; the last two digits are invented."""
    two = (
        BEFORE_2003.get(industry, industry)
        if year < 2003
        else FROM_2012.get(industry, industry)
        if year >= 2012
        else industry
    )
    return f"{two}{10 + int(industry) % 7}"


def _spoil(
    table: dict[str, list[object]], there: np.ndarray, rng: np.random.Generator
) -> dict[str, int]:
    """Rows as careless typing leaves them, beside good ones: too few workers, negative output, no
    firm code twice over.
    """
    draws = rng.random(len(there))
    small = np.flatnonzero(draws < SMALL_SHARE / 3)
    negative = np.flatnonzero((draws >= SMALL_SHARE / 3) & (draws < 2 * SMALL_SHARE / 3))
    nameless = np.flatnonzero((draws >= 2 * SMALL_SHARE / 3) & (draws < SMALL_SHARE))
    for i in small:
        table["workers"][i] = 3
    for i in negative:
        output = table["output"][i]
        assert isinstance(output, int)
        table["output"][i] = -output
    for i in nameless:
        table["code"][i] = ""
        table["name"][i] = ""
    return {
        "too_small": len(small),
        "negative_output": len(negative),
        "missing_firm": len(nameless),
    }


def _write_csv(path: Path, heads: Mapping[str, str], table: dict[str, list[object]]) -> None:
    with path.open("w", encoding="gb18030", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\r\n")
        writer.writerow(heads.values())
        writer.writerows(zip(*(table[field] for field in heads), strict=True))


def _write_stata(path: Path, heads: Mapping[str, str], table: dict[str, list[object]]) -> None:
    columns = []
    for field, head in heads.items():
        if field in TEXTS:
            octets = [str(value).encode("gb18030") for value in table[field]]
            columns.append(
                (head, np.array(octets, dtype=f"S{max(1, *(len(text) for text in octets))}"))
            )
        else:
            columns.append((head, np.array(table[field], dtype="float64")))
    rows = np.empty(len(columns[0][1]), dtype=[(head, column.dtype) for head, column in columns])
    for head, column in columns:
        rows[head] = column
    write_stata(path, rows, "SIMULATED industrial enterprises")
