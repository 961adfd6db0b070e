"""Read every input that real users' files taught, and say beside each what was done with it before,
what is right, and what is done now.

CITYTRADE_FAULTS=/folder python -m tests.faults.inputs       prints the table, and ends with 1 where
                                                             one is wrong

The folder holds small files made after public reports, a folder a kind of fault. The right values
stand here as its README gives them, worked out by hand from the cells of each file.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from tests.faults.likelihood import scales_with_its_unit
from warehouse.dictionary.places import city_name, city_names
from warehouse.errors import SourceError
from warehouse.lake.loads import LoadReport, load_folder
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file

VARIABLE = "CITYTRADE_FAULTS"
MAIN_TABLES = {
    "customs": "customs__records",
    "yearbook": "yearbook__indicators",
    "digital_finance": "digital_finance__cities",
}
HANGZHOU_2010 = 594_900_000_000.0
# Of the list of names: what no city is called, and what could be several.
NO_CITIES = {
    "杭州巿", "深圳经济特区", "大同市(新)", "涪陵市", "万县市", "达川地区", "永州(零陵)", "株州市",
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a reader made of a file: its rows, or why it was refused."""

    report: LoadReport | None = None
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    aside: pd.DataFrame = field(default_factory=pd.DataFrame)
    refusal: str = ""

    @property
    def unread(self) -> set[str]:
        columns = [] if self.report is None else self.report.columns
        return {column["head"] for column in columns if column["indicator"] is None}


Look = Callable[[Outcome], object]


@dataclass(frozen=True)
class Case:
    """One input.

    before : what the first readers did with it
    look : what is asked of the outcome
    right : its right answer
    refusal : words of the true refusal, where refusing is right
    """

    file: str
    source: str
    before: str
    look: Look
    right: object = None
    refusal: Sequence[str] = ()

    @property
    def wanted(self) -> str:
        return f"refused: {', '.join(self.refusal)}" if self.refusal else f"{self.right}"


@dataclass(frozen=True)
class Verdict:
    case: Case
    fate: str  # right | refused truly | WRONG
    now: str


def column(*names: str) -> Look:
    """The values of columns, row by row."""

    def look(outcome: Outcome) -> object:
        rows = outcome.rows[list(names)].astype(object)
        lists = rows.where(rows.notna(), None).values.tolist()
        return [row[0] for row in lists] if len(names) == 1 else lists

    return look


def values(*keys: str) -> Look:
    """The values of a table of indicators, by these keys."""

    def look(outcome: Outcome) -> object:
        named = outcome.rows[list(keys)].itertuples(index=False, name=None)
        return {
            key if len(key) > 1 else key[0]: value
            for key, value in zip(named, outcome.rows["value"], strict=True)
        }

    return look


def gdp_and(look: Look) -> Look:
    """The GDP that is read, and something more."""

    def both(outcome: Outcome) -> object:
        gdp = outcome.rows.loc[outcome.rows["indicator"] == "gdp_cny", "value"].tolist()
        return gdp, look(outcome)

    return both


def unread(outcome: Outcome) -> object:
    return sorted(outcome.unread)


def by_reason(outcome: Outcome) -> object:
    return dict(Counter(outcome.aside.get("reason", [])))


def missing(outcome: Outcome) -> object:
    """Indicators read with their number of values, and the rows set aside."""
    return dict(Counter(outcome.rows["indicator"])), len(outcome.aside)


def index_of_beijing(outcome: Outcome) -> object:
    """Rows, Beijing in 2011 by name, code and index, and whether its monetary funds are null."""
    first = outcome.rows.query("year == 2011").iloc[0]
    return (
        len(outcome.rows),
        first["name_2018"],
        first["code_2018"],
        first["index_aggregate"],
        bool(pd.isna(first["monetary_fund"])),
    )


def names_refused(outcome: Outcome) -> object:
    """Names set aside as unknown, and whether those that were read are cities' names."""
    unknown = outcome.aside.loc[outcome.aside["reason"] == "unknown_city", "detail"]
    first = {str(detail).split(" (nearest")[0] for detail in unknown}
    return sorted(first), bool(set(outcome.rows["city_name"]) <= city_names())


def footnotes(outcome: Outcome) -> object:
    found = outcome.rows[outcome.rows["indicator"] == "population_registered_n"]
    return {city_name(name): value for name, value in found[["city_name", "value"]].values}


CASES = (
    Case(
        "01_stata_value_labels/encoded_flow.dta", "customs",
        "exports become imports, and 阿富汗 Hong Kong",
        column("flow", "partner_name", "hs8"),
        [["export", "阿富汗", "84713000"], ["export", "德国", "85171210"],
         ["import", "英国", "01011010"]],
    ),
    Case(
        "01_stata_value_labels/df_enc.dta", "digital_finance", "the city is lost",
        column("year", "name_2018", "index_aggregate"),
        [[2011, "北京市", 80.78], [2012, "北京市", 135.73], [2013, "北京市", 178.97]],
    ),
    Case(
        "02_good_text_repaired/accent.dta", "customs", "Müller becomes Chinese characters",
        column("firm_name"), ["Nestlé (Hangzhou)", "Société X", "Müller"],
    ),
    Case(
        "03_side_by_side_tables/中国城市统计年鉴2001.xlsx", "yearbook",
        "宁波's number goes to 杭州",
        values("city_name"),
        {"杭州市": 6_215_800, "宁波市": 5_409_000, "温州市": 7_363_000, "嘉兴市": 3_313_000},
    ),
    Case(
        "03_side_by_side_tables/中国城市统计年鉴2001c.xlsx", "yearbook",
        "宁波's number goes to 杭州",
        values("city_name"), {"杭州市": 6_215_800, "宁波市": 5_409_000},
    ),
    Case(
        "03_side_by_side_tables/twice.csv", "yearbook", "宁波's number goes to 杭州 of 2010",
        values("city_name", "year", "indicator"),
        {("杭州市", 2010, "gdp_cny"): HANGZHOU_2010,
         ("宁波市", 2011, "population_registered_n"): 5_740_800},
    ),
    Case(
        "04_unknown_heads_dropped/panel.csv", "yearbook",
        "当年价 and GDP are dropped without a word",
        gdp_and(unread), ([HANGZHOU_2010], []),
    ),
    Case(
        "05_stata_float_codes/e_f32.dta", "customs", "rounded firm codes are accepted",
        column("firm_code"), refusal=("party_id", "float", "16,777,216"),
    ),
    Case(
        "06_hidden_sheet/hidden.xlsx", "yearbook", "1 from the hidden sheet",
        gdp_and(unread), ([HANGZHOU_2010], ["(the whole sheet)"]),
    ),
    Case(
        "08_plain_heads/中国城市数据库6.0版.xlsx", "yearbook", "refused: no layout is known",
        lambda outcome: (
            values("indicator", "scope")(Outcome(rows=outcome.rows[:3])), unread(outcome),
        ),
        ({("employees_n", "unstated"): 3e6, ("gdp_cny", "unstated"): 1.61058e12,
          ("population_registered_n", "unstated"): 8.14e6},
         ["省份", "第二产业增加值占GDP比重(%)"]),
    ),
    Case(
        "09_commas_not_thousands/commas.csv", "customs", "1234,56 becomes 123,456",
        lambda outcome: (column("value_cents", "quantity")(outcome), by_reason(outcome)),
        ([[123_456, 1.0], [100_050, 1.0], [100_000, 12.5]], {"bad_value": 1}),
    ),
    Case(
        "11_missing_marks_and_footnotes/foot.csv", "yearbook",
        "杭州市① is an unknown city, 23000000 [2] a bad number",
        lambda outcome: (footnotes(outcome), by_reason(outcome)),
        ({"杭州市": 6_891_200, "宁波市": 5_740_800, "嘉兴市": 3_416_000, "湖州市": 2_592_400},
         {"unknown_city": 2}),
    ),
    Case(
        "11_missing_marks_and_footnotes/marks.csv", "yearbook", "18 bad numbers",
        missing, ({"population_registered_n": 18}, 0),
    ),
    Case(
        "12_dates/e_td.dta", "customs", "every row is lost",
        column("year", "month"), [[2000, 1], [2000, 2]],
    ),
    Case(
        "12_dates/month_nian.csv", "customs", "every row is lost",
        column("year", "month"), [[2000, 1]],
    ),
    Case(
        "12_dates/yb_ty.dta", "yearbook", "every row is lost",
        values("city_name", "year"),
        {("杭州市", 2010): HANGZHOU_2010, ("宁波市", 2010): 516_300_000_000},
    ),
    Case(
        "13_codes_from_spreadsheets/pandas_int.csv", "customs", "chapter 01 is lost",
        column("hs8"), ["84713000", "85171210", "01011010"],
    ),
    *(
        Case(
            f"14_digital_finance_variants/{name}", "digital_finance", "refused",
            index_of_beijing, (40, "北京市", "1100", 80.78, True),
        )
        for name in ("old.xlsx", "trim.xlsx", "six.dta")
    ),
    Case(
        "16_city_names/names.csv", "yearbook", "浙江杭州, 上海市辖区 and Hangzhou are unknown",
        names_refused, (sorted(NO_CITIES), True),
    ),
    Case(
        "17_base_year_head/real.csv", "yearbook", "2000年地区生产总值 becomes GDP of 2010",
        gdp_and(unread),
        ([HANGZHOU_2010],
         ["2000年地区生产总值_全市_万元", "人均地区生产总值_全市_万元",
          "地区生产总值_2000年不变价_全市_万元", "实际地区生产总值_全市_万元"]),
    ),
    Case(
        "19_separators/tab.csv", "yearbook", "refused for a wrong reason",
        values("indicator"), {"gdp_cny": HANGZHOU_2010, "population_registered_n": 6_891_200},
    ),
    Case(
        "19_separators/html.xls", "yearbook", "refused for a wrong reason",
        column("value"), refusal=("a web page", "xlsx or csv"),
    ),
    Case(
        "21_merged_city_cells/merged.xlsx", "yearbook", "2011 loses its city",
        values("city_name", "year"),
        {("杭州市", 2010): HANGZHOU_2010, ("杭州市", 2011): 701_978_000_000,
         ("宁波市", 2010): 516_300_000_000, ("宁波市", 2011): 605_941_000_000},
    ),
    Case(
        "23_long_wide_and_three_heads/long.xlsx", "yearbook", "refused",
        values("city_name", "year", "indicator"),
        {("杭州市", 2010, "gdp_cny"): HANGZHOU_2010,
         ("杭州市", 2010, "population_registered_n"): 6_891_200},
    ),
    Case(
        "23_long_wide_and_three_heads/wide2.xlsx", "yearbook", "refused",
        values("city_name", "year"),
        {("杭州市", 2019): 1.5e12, ("杭州市", 2018): 1.4e12, ("杭州市", 2017): 1.3e12,
         ("宁波市", 2019): 1.1e12, ("宁波市", 2018): 1.0e12, ("宁波市", 2017): 0.9e12},
    ),
    Case(
        "23_long_wide_and_three_heads/CRE_city.xlsx", "yearbook", "refused",
        values("city_name", "year"), {("杭州市", 2010): 594_917_000_000},
    ),
)  # fmt: skip


def read(source: str, file: Path, lake: Path) -> Outcome:
    try:
        report, _ = load_file(get_source(source), file, lake, {})
    except SourceError as error:
        return Outcome(refusal=str(error))
    folder = load_folder(lake, source, report.load_id)
    aside = folder / "set_aside.parquet"
    return Outcome(
        report,
        pd.read_parquet(folder / f"{MAIN_TABLES[source]}.parquet"),
        pd.read_parquet(aside) if aside.is_file() else pd.DataFrame(),
    )


def judged(case: Case, outcome: Outcome) -> Verdict:
    """Right is the right value, or a refusal that says what is wrong where nothing can be right."""
    if outcome.refusal:
        is_true = bool(case.refusal) and all(word in outcome.refusal for word in case.refusal)
        return Verdict(case, "refused truly" if is_true else "WRONG", outcome.refusal)
    found = case.look(outcome)
    is_right = not case.refusal and found == case.right
    return Verdict(case, "right" if is_right else "WRONG", f"{found}")


def likelihoods() -> Verdict:
    """Tobit and Heckman in units from 1e-9 to 1e12, which need no file."""
    case = Case(
        "07_likelihood_scale/repro.py", "estimators",
        "no solution where the outcome's unit is small or large",
        lambda _: None, {"tobit": "2.103647", "heckman": "2.137194"},
    )  # fmt: skip
    found = scales_with_its_unit()
    return Verdict(case, "right" if found == case.right else "WRONG", f"{found}")


def run(folder: Path) -> list[Verdict]:
    """Every case; a file that is not there is WRONG, for then nothing was tried."""
    found = [likelihoods()]
    with tempfile.TemporaryDirectory() as lake:
        found += [judged(case, read(case.source, folder / case.file, Path(lake))) for case in CASES]
    return sorted(found, key=lambda verdict: verdict.case.file)


def not_tried(folder: Path) -> set[str]:
    """Inputs in the folder that no case names."""
    named = {case.file for case in CASES} | {"07_likelihood_scale/repro.py", "README.md"}
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    return there - named


def main() -> None:
    name = os.environ.get(VARIABLE)
    if name is None:
        raise SystemExit(f"{VARIABLE} names no folder of inputs: nothing was tried.")
    folder = Path(name)
    verdicts = run(folder)
    print("input | before | right | now | verdict")
    for verdict in verdicts:
        case = verdict.case
        now = "the right value" if verdict.fate == "right" else verdict.now
        print(f"{case.file} | {case.before} | {case.wanted} | {now} | {verdict.fate}")
    counts = Counter(verdict.fate for verdict in verdicts)
    print(
        f"{len(verdicts)} inputs: {counts['right']} right, {counts['refused truly']} refused truly,"
        f" {counts['WRONG']} WRONG; in the folder and not tried: {len(not_tried(folder))}"
    )
    sys.exit(1 if counts["WRONG"] or not_tried(folder) else 0)


if __name__ == "__main__":
    main()
