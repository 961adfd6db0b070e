from __future__ import annotations

import json

import pytest

from warehouse.errors import SourceError

NAMES = {"110000": "北京市", "110100": "市辖区", "330106": "西湖区"}


def write(path, names):
    path.write_text(json.dumps(names, ensure_ascii=False, indent=2), encoding="utf-8")
    return path


def test_a_vintage_is_read(load, tmp_path):
    report, tables, aside = load("divisions", write(tmp_path / "200212.json", NAMES))
    rows = tables["divisions__names"]
    assert report.layout == "gb2260_json"
    assert report.read_n == 3
    assert aside.empty
    assert set(rows["vintage"]) == {"200212"}
    assert dict(zip(rows["division_code"], rows["name_zh"], strict=True)) == NAMES
    assert list(rows["line"]) == [2, 3, 4]


def test_bad_codes_and_names_are_set_aside(load, tmp_path):
    text = (
        '{\n"110000": "北京市",\n"11O101": "东城区",\n"3301": "杭州市",\n"330106": null,\n'
        '"330108": " ",\n"110000": "北京"\n}'
    )
    (tmp_path / "gb2260-201607.json").write_text(text, encoding="utf-8")
    report, tables, aside = load("divisions", tmp_path / "gb2260-201607.json")
    assert report.read_n == 6
    assert report.set_aside == {"bad_code": 2, "missing_name": 2, "duplicate_key": 1}
    assert list(tables["divisions__names"]["name_zh"]) == ["北京市"]
    assert list(aside["line"]) == [3, 4, 5, 6, 7]
    assert aside["detail"].iloc[0] == "11O101: 东城区"


def test_gb18030_is_understood(load, tmp_path):
    (tmp_path / "200212.json").write_bytes(json.dumps(NAMES, ensure_ascii=False).encode("gb18030"))
    assert (
        load("divisions", tmp_path / "200212.json")[1]["divisions__names"]["name_zh"].iloc[2]
        == "西湖区"
    )


@pytest.mark.parametrize(
    "name", ["divisions.json", "2002.json", "200213.json", "200212-200306.json"]
)
def test_a_name_without_one_vintage_is_refused(load, tmp_path, name):
    with pytest.raises(SourceError, match="has a name without one year and month"):
        load("divisions", write(tmp_path / name, NAMES))


def test_a_list_of_one_territory_is_refused(load, tmp_path):
    with pytest.raises(
        SourceError,
        match=(
            r"does not list 110000 \(Beijing\).*Take a list of one territory out of the "
            r"configuration"
        ),
    ):
        load(
            "divisions",
            write(
                tmp_path / "hongkong-201512.json", {"810000": "香港特别行政区", "810101": "中西区"}
            ),
        )


def test_a_truncated_file_is_refused(load, tmp_path):
    path = write(tmp_path / "200212.json", NAMES)
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(SourceError, match=r"line 4: is not complete JSON .*cut off or damaged"):
        load("divisions", path)


def test_another_encoding_is_refused(load, tmp_path):
    (tmp_path / "200212.json").write_bytes(b'{\n"110000": "\xff\xff"\n}')
    with pytest.raises(SourceError, match=r"line 2: is neither UTF-8 nor GB18030"):
        load("divisions", tmp_path / "200212.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("{}", "shows none of the layouts"),
        ('["201607", "201509"]', "shows none of the layouts"),
    ],
)
def test_a_file_without_codes_is_refused(load, tmp_path, text, message):
    (tmp_path / "201607.json").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=message):
        load("divisions", tmp_path / "201607.json")


def test_deep_nesting_is_refused(load, tmp_path):
    (tmp_path / "201607.json").write_text('{"110000": ' + "[" * 200_000, encoding="utf-8")
    with pytest.raises(SourceError, match=r"nested too deeply|is not complete JSON"):
        load("divisions", tmp_path / "201607.json")


def test_a_number_of_many_figures_is_no_name(load, tmp_path):
    (tmp_path / "201607.json").write_text(
        '{"110000": "北京市", "110101": ' + "9" * 10_000 + "}", encoding="utf-8"
    )
    report, _, aside = load("divisions", tmp_path / "201607.json")
    assert report.set_aside == {"missing_name": 1}
    assert list(aside["detail"]) == ["110101: "]
