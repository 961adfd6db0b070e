"""Customs records: both layouts, every reason for setting a row aside, and files that cannot be
read.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import PROJECT, environment
from warehouse.errors import SourceError

HEAD = [
    "日期",
    "进口或出口",
    "HS编码",
    "HS中文",
    "金额",
    "数量",
    "价格",
    "数量单位",
    "企业编码",
    "经营单位",
    "单位地址",
    "电话",
    "传真",
    "邮编",
    "电子邮件",
    "联系人",
    "消费地或生产地",
    "企业性质",
    "起运国或目的国",
    "口岸海关",
    "贸易方式",
    "运输方式",
    "中转国",
]
GOOD = {
    "日期": "200501", "进口或出口": "出口", "HS编码": "01012100", "金额": "12.50", "数量": "3",
    "数量单位": "千克", "企业编码": "3301000001",
    "经营单位": "杭州甲有限公司", "邮编": "310012", "消费地或生产地": "江苏常州市",
    "起运国或目的国": "美国", "贸易方式": "一般贸易",
}  # fmt: skip
REASONS = {
    "bad_date": {"日期": "2005"},
    "bad_flow": {"进口或出口": "转口"},
    "bad_hs_code": {"HS编码": "8471.30"},
    "missing_place": {"消费地或生产地": " \u3000"},
    "missing_partner": {"起运国或目的国": ""},
    "bad_value": {"金额": "=1+1"},
    "negative_value": {"金额": "-3"},
    "bad_quantity": {"数量": "-1"},
}


def line(**changed: str) -> str:
    return ",".join({**GOOD, **changed}.get(head, "") for head in HEAD)


def write_csv(file: Path, *lines: str, encoding: str = "gb18030", end: str = "\r\n") -> Path:
    file.write_bytes((end.join([",".join(HEAD), *lines]) + end).encode(encoding))
    return file


@pytest.mark.parametrize(
    ("given", "expected"),
    [("0571-85012345", "0571-85012345"), ("85012345.0", "85012345"), ("", None), ("无", None)],
)
def test_telephones_are_kept_as_stated(
    load: Callable, tmp_path: Path, given: str, expected: str | None
) -> None:
    _, tables, aside = load("customs", write_csv(tmp_path / "2005.csv", line(电话=given)))
    (found,) = tables["customs__records"]["telephone"]
    assert aside.empty and (found == expected if expected else pd.isna(found))


def test_a_telephone_that_was_rounded_is_unknown_and_its_row_stays(
    load: Callable, tmp_path: Path
) -> None:
    file = tmp_path / "2005.parquet"
    row = pd.DataFrame([{head: GOOD.get(head, "") for head in HEAD}])
    row.assign(电话=pd.Series([85012345.0], dtype="float32")).to_parquet(file)
    report, tables, aside = load("customs", file)
    (said,) = [column["reason"] for column in report.columns if column["head"] == "电话"]
    assert aside.empty and "rounded" in said
    assert pd.isna(tables["customs__records"]["telephone"]).all()


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
def test_chinese_csv_gives_typed_records(load: Callable, tmp_path: Path, encoding: str) -> None:
    file = write_csv(
        tmp_path / "2005.csv",
        line(),
        line(金额='"1,234.565"', 进口或出口="进口"),
        encoding=encoding,
    )
    report, tables, _ = load("customs", file)
    rows = tables["customs__records"]
    assert report.layout == "2005_chinese_csv"
    assert rows["value_cents"].tolist() == [1250, 123457]
    assert rows["flow"].tolist() == ["export", "import"]
    assert rows["line"].tolist() == [2, 3]
    first = rows.iloc[0]
    assert (first["year"], first["month"], first["hs8"], first["postcode"]) == (
        2005,
        1,
        "01012100",
        "310012",
    )
    assert (first["production_place"], first["partner_name"], first["firm_name"]) == (
        "江苏常州市",
        "美国",
        "杭州甲有限公司",
    )


@pytest.mark.parametrize(("reason", "changed"), REASONS.items())
def test_each_reason_sets_its_row_aside(
    load: Callable, tmp_path: Path, reason: str, changed: dict[str, str]
) -> None:
    report, tables, aside = load(
        "customs", write_csv(tmp_path / "2005.csv", line(), line(**changed), line())
    )
    assert aside[["reason", "line"]].values.tolist() == [[reason, 3]]
    assert tables["customs__records"]["line"].tolist() == [2, 4]
    assert report.set_aside == {reason: 1}


def test_the_first_reason_in_order_wins(load: Callable, tmp_path: Path) -> None:
    everything = {head: text for changed in REASONS.values() for head, text in changed.items()}
    _, _, aside = load("customs", write_csv(tmp_path / "2005.csv", line(), line(**everything)))
    assert aside["reason"].tolist() == ["bad_date"]


def test_broken_and_empty_lines_leave_the_numbers_of_the_others_alone(
    load: Callable, tmp_path: Path
) -> None:
    """Rows with too few fields are set aside, empty lines are no rows, and all other lines are
    numbered as a person counts.
    """
    file = write_csv(
        tmp_path / "2005.csv", "200501,出口", line(), "a,b", "", '"', line(金额="x"), line()
    )
    report, tables, aside = load("customs", file)
    assert tables["customs__records"]["line"].tolist() == [3, 8]
    assert sorted(zip(aside["line"], aside["reason"], strict=True)) == [
        (2, "broken_row"),
        (4, "broken_row"),
        (6, "broken_row"),
        (7, "bad_value"),
    ]
    assert report.read_n == 6


def test_a_long_file_keeps_order_and_line_numbers_between_broken_and_mended_rows(
    load: Callable, tmp_path: Path
) -> None:
    """Longer than a row group, so that it is read in parts."""
    rows = [line(金额=str(number + 1)) for number in range(70_000)]
    rows[7::1000] = ["a,b"] * len(rows[7::1000])
    rows[8::500] = [line(金额="x")] * len(rows[8::500])
    rows[69_999] = line(金额='"1,234,567"')
    report, tables, aside = load("customs", write_csv(tmp_path / "2005.csv", *rows))
    good = [
        (at + 2, 123_456_700 if at == 69_999 else (at + 1) * 100)
        for at in range(70_000)
        if at % 1000 != 7 and at % 500 != 8
    ]
    found = tables["customs__records"]
    assert list(zip(found["line"], found["value_cents"], strict=True)) == good
    assert report.set_aside == {"bad_value": 140, "broken_row": 70}
    assert aside["line"].tolist() == sorted(
        at + 2 for at in range(70_000) if at % 1000 == 7 or at % 500 == 8
    )


PEAK = """
import resource, sys
from pathlib import Path
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file
load_file(get_source("customs"), Path(sys.argv[1]), Path(sys.argv[2]))
# What getrusage says counts what the tests' process held when it started this one.
status = Path("/proc/self/status")
told = status.read_text().splitlines() if status.exists() else []
peaks = [int(line.split()[1]) for line in told if line.startswith("VmHWM")]
print((peaks or [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])[0] // 1024)
"""


def test_a_longer_file_takes_no_more_memory(tmp_path: Path) -> None:
    """Kept in memory, a row takes about 900 bytes: 115 MB more for the longer file."""
    peaks = []
    for rows_n in (130_000, 260_000):
        file = write_csv(tmp_path / f"2005_{rows_n}.csv", *[line()] * rows_n)
        command = [sys.executable, "-c", PEAK, str(file), str(tmp_path / "lake")]
        done = subprocess.run(
            command, cwd=PROJECT, env=environment(), capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 60, peaks


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_line_ends_of_any_kind_and_mixed(load: Callable, tmp_path: Path, end: str) -> None:
    file = write_csv(tmp_path / "2005.csv", line(), line(金额="7"), end=end)
    file.write_bytes(file.read_bytes() + b"\n" + line(金额="8").encode("gb18030") + b"\n")
    _, tables, _ = load("customs", file)
    assert tables["customs__records"]["value_cents"].tolist() == [1250, 700, 800]


def test_a_quote_that_is_never_closed_swallows_nothing(load: Callable, tmp_path: Path) -> None:
    rows = [line() for _ in range(100)]
    rows[10] = line(经营单位='"甲公司')
    rows[20] = line(经营单位='"甲,乙')
    report, tables, aside = load("customs", write_csv(tmp_path / "2005.csv", *rows))
    assert (report.read_n, report.accepted_n) == (100, 99)
    assert aside[["line", "reason"]].values.tolist() == [[22, "broken_row"]]
    assert tables["customs__records"]["firm_name"][10] == "甲公司"


@pytest.mark.parametrize("odd", ['"联系人"=1+1', '"联系""人"x', '联系"人"'])
def test_no_row_is_lost_under_a_name_that_a_parser_stumbles_over(
    load: Callable, tmp_path: Path, odd: str
) -> None:
    file = write_csv(tmp_path / "2005.csv", line(), line(金额="7"))
    content = file.read_bytes().decode("gb18030")
    assert content.count("联系人") == 1
    file.write_bytes(content.replace("联系人", odd).encode("gb18030"))
    report, tables, _ = load("customs", file)
    assert (report.read_n, report.accepted_n) == (2, 2)
    assert tables["customs__records"]["value_cents"].tolist() == [1250, 700]


def test_a_comma_too_many_breaks_its_row_and_moves_no_field(load: Callable, tmp_path: Path) -> None:
    """The last field is empty, so the surplus one would go unnoticed with every field in its
    neighbour's place.
    """
    shifted = line(经营单位="甲,乙", 联系人="宁波市", 口岸海关="美国")
    _, tables, aside = load(
        "customs", write_csv(tmp_path / "2005.csv", line(), shifted, line(经营单位='"甲,乙"'))
    )
    assert aside[["line", "reason"]].values.tolist() == [[3, "broken_row"]]
    assert tables["customs__records"]["firm_name"].tolist() == ["杭州甲有限公司", "甲,乙"]


@pytest.mark.parametrize(
    ("text", "month"),
    [("200501", 1), ("20050115", 1), ("2005-1-15", 1), ("2005/11/5", 11), ("2005.12", 12)],
)
def test_dates_in_every_spelling(load: Callable, tmp_path: Path, text: str, month: int) -> None:
    _, tables, _ = load("customs", write_csv(tmp_path / "2005.csv", line(日期=text)))
    assert (tables["customs__records"]["year"][0], tables["customs__records"]["month"][0]) == (
        2005,
        month,
    )


@pytest.mark.parametrize("value", ["15507830000000", "1e400", "nan", "9" * 40])
def test_absurd_values_are_set_aside(load: Callable, tmp_path: Path, value: str) -> None:
    _, _, aside = load("customs", write_csv(tmp_path / "2005.csv", line(), line(金额=value)))
    assert aside["reason"].tolist() == ["bad_value"]


def test_a_name_cut_in_mid_character_is_dropped_and_the_row_kept(
    load: Callable, tmp_path: Path
) -> None:
    file = tmp_path / "2005.csv"
    cut = "杭州".encode("gb18030") + "州".encode("gb18030")[:1]
    whole = (",".join(HEAD) + "\r\n" + line() + "\r\n" + line() + "\r\n").encode("gb18030")
    name = "杭州甲有限公司".encode("gb18030")
    at = whole.rindex(name)
    file.write_bytes(whole[:at] + cut + whole[at + len(name) :])
    _, tables, _ = load("customs", file)
    names = tables["customs__records"]["firm_name"]
    assert names[0] == "杭州甲有限公司"
    assert pd.isna(names[1])


def stata_frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "_日期": [200701.0, 200712.0, 200703.0, 200704.0], "_进口或出口": [0, 1, 0, 0],
            "_企业编码": ["3301000001", "x", "y", "z"],
            "_经营单位": ["杭州甲有限公司", "乙", "丙", "丁"], "_邮编": ["310012", "", "", ""],
            "_消费地进口or生产地出口": ["杭州市", "宁波", "宁波", "宁波"], "_税号编码": [1012100.0,
            84713000.0, 847130.0, 84713000.0],
            "_起运国或目的国": [502.0, 110.0, 110.0, 101.0], "_金额": [12.34, 0.1 + 0.2, 5.0, None],
            "_数量": [1.5, 2.0, 3.0, 4.0],
            "_贸易方式": ["一般贸易"] * 4,
        }
    )  # fmt: skip


def test_stata_restores_the_leading_zero_and_sets_the_rest_aside(
    load: Callable, tmp_path: Path
) -> None:
    file = tmp_path / "2007.dta"
    stata_frame().to_stata(file, write_index=False, version=118)
    report, tables, aside = load("customs", file)
    rows = tables["customs__records"]
    assert report.layout == "2007_stata"
    assert rows["hs8"].tolist() == ["01012100", "84713000"]
    assert rows["value_cents"].tolist() == [1234, 30]
    assert rows["partner_code"].tolist() == ["502", "110"]
    assert rows["production_place"].tolist() == ["杭州市", "宁波"]
    assert sorted(zip(aside["line"], aside["reason"], strict=True)) == [
        (3, "bad_hs_code"),
        (4, "bad_value"),
    ]


def test_files_that_cannot_be_read_say_what_and_what_to_do(load: Callable, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    with pytest.raises(SourceError, match=r"empty\.csv: is empty\. Fetch the file again"):
        load("customs", empty)

    lacking = write_csv(tmp_path / "lacking.csv", line())
    lacking.write_bytes(
        lacking.read_bytes().replace("金额".encode("gb18030"), "别的".encode("gb18030"))
    )
    with pytest.raises(SourceError, match=r"lacking\.csv, line 1: lacks the column 金额"):
        load("customs", lacking)

    foreign = tmp_path / "foreign.csv"
    foreign.write_bytes((",".join(HEAD) + "\n").encode("gb18030") + bytes([0x81, 0x20]) * 5000)
    with pytest.raises(SourceError, match=r"foreign\.csv: is neither UTF-8 nor GB18030"):
        load("customs", foreign)

    cut = write_csv(tmp_path / "cut.csv", line(), line())
    cut.write_bytes(cut.read_bytes() + "200501,出口,8471".encode("gb18030"))
    with pytest.raises(
        SourceError, match=r"cut\.csv, line 4: ends in the middle of a row: the file is cut off"
    ):
        load("customs", cut)
    whole = (",".join(HEAD) + "\n200501,出口").encode()
    for end in (-1, -2, -3):  # within a character, too
        cut.write_bytes(whole[:end])
        with pytest.raises(SourceError, match=r"cut\.csv, line 2: ends in the middle of a row"):
            load("customs", cut)

    with pytest.raises(SourceError, match=r"header\.csv, line 1: holds a header and no records"):
        load("customs", write_csv(tmp_path / "header.csv"))

    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(
        SourceError,
        match=r"shows none of the layouts known for customs \(csmar_2000_2016, .*2007_stata, ",
    ):
        load("customs", other)

    stata_frame().to_stata(tmp_path / "whole.dta", write_index=False, version=118)
    cut = tmp_path / "cut.dta"
    cut.write_bytes((tmp_path / "whole.dta").read_bytes()[:-400])
    with pytest.raises(SourceError, match=r"cut\.dta: .*Stata file"):
        load("customs", cut)
