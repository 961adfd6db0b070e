"""Government work reports: whose and of what year a file's name says, and texts that are
set aside.
"""

from __future__ import annotations

import zipfile

import pytest

from warehouse.errors import SourceError
from warehouse.sources.reports import MAX_REPORT_BYTES, whose

TEXT = "政府工作报告\n各位代表：" + "一年来，各项工作取得新的进展。" * 8


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("杭州市2015年政府工作报告.txt", ("杭州市", "2015")),
        ("2015年杭州市政府工作报告.txt", ("杭州市", "2015")),
        ("浙江省杭州市2015年政府工作报告（全文）.txt", ("杭州市", "2015")),
        ("SIMULATED_杭州 2015.txt", ("杭州", "2015")),
        ("reports/2015/吉林市2014年人民政府工作报告.txt", ("吉林市", "2014")),
        ("杭州市政府工作报告.txt", ("杭州市", "")),
        ("杭州市2014-2015年政府工作报告.txt", ("杭州市", "")),
        ("浙江省2015年政府工作报告.txt", ("浙江省", "2015")),
    ],
)
def test_a_name_says_city_and_year(name, expected):
    assert whose(name) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_report_is_one_row_in_any_encoding(load, tmp_path, encoding):
    path = tmp_path / "杭州市2015年政府工作报告.txt"
    path.write_bytes(TEXT.encode(encoding))
    report, tables, _ = load("reports", path)
    row = tables["reports__texts"].iloc[0]
    assert (report.layout, report.read_n) == ("report_text", 1)
    assert (row["city_name"], row["year"], row["text"], row["characters_n"]) == (
        "杭州市",
        2015,
        TEXT,
        len(TEXT),
    )


def test_an_archive_gives_every_report_and_sets_others_aside(load, tmp_path):
    texts = {
        "杭州市2015年政府工作报告.txt": TEXT,
        "温州市2015年政府工作报告.txt": TEXT + "\n二",
        "浙江省2015年政府工作报告.txt": TEXT + "\n三",
        "宁波市政府工作报告.txt": TEXT + "\n四",
        "嘉兴市2015年政府工作报告.txt": TEXT + "\x07",
    }
    with zipfile.ZipFile(tmp_path / "reports.zip", "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text.encode("gb18030"))
    report, tables, aside = load("reports", tmp_path / "reports.zip")
    assert report.read_n == 5
    assert sorted(tables["reports__texts"]["city_name"]) == ["杭州市", "温州市"]
    assert sorted(aside["reason"]) == ["bad_text", "bad_year", "unknown_city"]
    unknown = aside[aside["reason"] == "unknown_city"]["detail"].item()
    assert unknown.startswith("reports.zip/浙江省2015年政府工作报告.txt: 浙江省 (nearest names:")


def test_a_report_longer_than_any_is_set_aside_unread(load, tmp_path):
    path = tmp_path / "杭州市2015年政府工作报告.txt"
    path.write_bytes(("工作" * (MAX_REPORT_BYTES // 6 + 1)).encode())
    report, tables, aside = load("reports", path)
    assert report.set_aside == {"too_long": 1}
    assert "reports__texts" not in tables
    assert list(aside["year"]) == [2015]


def test_what_is_no_report_is_refused(load, tmp_path):
    path = tmp_path / "杭州市2015年政府工作报告.txt"
    path.write_text("城市,年份\n杭州市,2015\n", encoding="utf-8")
    with pytest.raises(SourceError, match="shows none of the layouts known for reports"):
        load("reports", path)
