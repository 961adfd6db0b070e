"""Writes the simulated concordances: pairs of HS revisions, HS to BEC, GB/T 4754 to ISIC,
elasticities of substitution.

The list of industries is the project's own; product tables and elasticities are invented.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from warehouse.simulate.formats.csvs import write_csv
from warehouse.simulate.formats.stata import write_stata
from warehouse.simulate.formats.workbooks import Cell, write_workbook
from warehouse.simulate.model.geography import read_reference
from warehouse.simulate.model.nomenclature import Nomenclature, Revision, bec_code, nomenclature
from warehouse.simulate.model.technology import CROSSWALK
from warehouse.simulate.model.trade import Market

FILE = "SIMULATED_Sigmas_HS3digit.dta"
COUNTRIES = (
    (100.0, "China", 1.0),
    (3.0, "Canada", 1.25),
    (7.0, "Germany", 0.875),
)  # made-up number, name, multiple of China's elasticity


def write_products(folder: Path) -> None:
    """The four pairs of revisions, each workbook in the layout that UNSD gave that pair, and HS
    2002 to BEC.
    """
    goods = nomenclature()
    _write_2017(folder, goods.revisions[2017])
    _write_2012(folder, goods.revisions[2012])
    old = goods.revisions[2007]
    _write_pair(
        folder / "SIMULATED_HS 2007 to HS 2002 Correlation and conversion tables.xlsx",
        ("HS 2007", "HS 2002"),
        old.correlation(),
        sorted(old.converted.items()),
        "",
    )
    _write_1996(folder, goods)
    rows = [(code, bec_code(code), "n to 1") for code in goods.codes]
    write_csv(
        folder / "SIMULATED_HS2002 to BEC Conversion and Correlation Tables.csv",
        ["HS02", "BEC", "Relationship"],
        rows,
        "utf-8-sig",
    )


def _write_2017(folder: Path, new: Revision) -> None:
    write_workbook(
        folder / "SIMULATED_HS2017toHS2002ConversionAndCorrelationTables.xlsx",
        {
            "Conversion HS17-HS02": [
                ["From HS 2017", "To HS 2002"],
                *([code, old] for code, old in sorted(new.converted.items())),
            ],
            "Correlation HS17-HS02": [
                ["Between", "", ""],
                ["HS 2017", "HS 2002", "Relationship"],
                *([code, old, kind] for code, old, kind in new.correlation()),
            ],
        },
    )


def _write_2012(folder: Path, mid: Revision) -> None:
    title = "Simulated table HS 2012 to HS 2002"
    preamble: list[list[Cell]] = [[None, title], [], [None, "not an official table"], [], []]
    write_workbook(
        folder / "SIMULATED_HS 2012 to HS 2002 Correlation and conversion tables.xlsx",
        {
            "Correlation HS2012-HS2002": [
                *preamble,
                [None, None, "HS 2012", "HS 2002", "Relationship"],
                *(
                    [None, None, code, old, kind.replace(":", " to ")]
                    for code, old, kind in mid.correlation()
                ),
            ],
            "Conversion HS 2012-HS 2002": [
                *preamble,
                [None, None, "HS 2012", "HS 2002"],
                *([None, None, *pair] for pair in sorted(mid.converted.items())),
            ],
        },
    )


def _write_1996(folder: Path, goods: Nomenclature) -> None:
    """From HS 2002 back to 1996."""
    backward = {"1:1": "1:1", "n:1": "1:n", "1:n": "n:1", "n:n": "n:n"}
    pairs = sorted(
        (new_code, old_code, backward[kind])
        for old_code, new_code, kind in goods.revisions[1996].correlation()
    )
    targets = {
        code: [old for new_code, old, _ in pairs if new_code == code] for code in goods.codes
    }
    converted = [(code, code if code in olds else min(olds)) for code, olds in targets.items()]
    _write_pair(
        folder / "SIMULATED_HS2002 to HS1996 - Correlation and conversion tables.xlsx",
        ("HS 2002", "HS 1996"),
        pairs,
        converted,
        "'",
    )


def _write_pair(
    path: Path,
    revisions: tuple[str, str],
    correlation: list[tuple[str, str, str]],
    conversion: list[tuple[str, str]],
    mark: str,
) -> None:
    """The layout of the pairs of 2007 and before: "ex" marks a code of which only a part
    is meant.
    """
    new, old = revisions
    write_workbook(
        path,
        {
            "Correlation Tables": [
                ["Between"],
                [new, "ex.", old, "Relationship"],
                *(
                    [code, "ex" if kind in ("1:n", "n:n") else None, other, mark + kind]
                    for code, other, kind in correlation
                ),
            ],
            "Conversion Tables": [
                ["From", "To"],
                [new, old],
                *([code, other] for code, other in conversion),
            ],
        },
    )


def write_crosswalk(folder: Path) -> None:
    """As it is passed around: ISIC in a cell merged over its rows, codes as numbers that lost their
    leading zeros.
    """
    rows: list[list[Cell]] = [
        ["国民经济行业分类（GB/T 4754-2002）与ISIC Rev.4对照表（模拟文件）"],
        ["ISIC Rev.4", "门类", "大类", "中类", "小类", "类别名称"],
    ]
    last = ""
    for row in sorted(
        read_reference(CROSSWALK), key=lambda row: (row["isic4_code"], row["gbt2002_code"])
    ):
        isic: Cell = int(row["isic4_code"]) if row["isic4_code"] != last else None
        last = row["isic4_code"]
        code = int(row["gbt2002_code"])
        levels: list[Cell] = [
            code if row["level"] == level else None for level in ("division", "group", "class")
        ]
        rows.append([isic, row["section"], *levels, row["name_zh"]])
    write_workbook(folder / "SIMULATED_GBT4754-2002_ISIC4.xlsx", {"对照表": rows})


def write_elasticities(folder: Path, market: Market) -> None:
    """Write the file into `folder`: the truth for China, multiples of it for others, so that a
    wrong choice of country shows.
    """
    codes, first = np.unique([code[:3] for code in market.nomenclature.codes], return_index=True)
    kinds = [("ccode", "<f4"), ("cname", "S24"), ("hs_3digit", "<f4"), ("sigma", "<f4")]
    tables = []
    for number, name, multiple in COUNTRIES:
        table = np.zeros(len(codes), dtype=kinds)
        table["ccode"], table["cname"] = number, name.encode()
        table["hs_3digit"], table["sigma"] = (
            codes.astype(float),
            1 + multiple * (market.sigma[first] - 1),
        )
        tables.append(table)
    write_stata(folder / FILE, np.concatenate(tables), "SIMULATED elasticities, not real")
