"""Dates, codes, names and separators as people's files have them, and where files end."""

from __future__ import annotations

import datetime
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.unit.sources.peoples_cases import FILES, RECORD, said_of
from warehouse.dictionary.places import city_name, city_names, unknown_name_detail
from warehouse.errors import SourceError
from warehouse.simulate.formats.stata import write_stata
from warehouse.sources.reading import text, transcoding
from warehouse.sources.reading.encodings import shown_name
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.separators import SEPARATORS, separator_of
from warehouse.sources.reading.stata import stata_frame

DISTRICTS = (
    "province,city,county,longitude,latitude,zipCode\n浙江省,杭州市,西湖区,120.13,30.26,310013\n"
    "浙江省,宁波市,海曙区,121.55,29.88,315000\n"
)


class TestDates:
    def test_days_of_stata(self, load):
        _, tables, aside = load("customs", FILES / "e_td.dta")
        assert tables["customs__records"][["year", "month"]].values.tolist() == [
            [2000, 1],
            [2000, 2],
        ]
        assert len(aside) == 0

    @pytest.mark.parametrize("kind", ["td", "tm", "tc", "tw", "tq", "th", "ty"])
    @pytest.mark.parametrize("version", [114, 118])
    def test_the_format_says_what_a_number_is(self, tmp_path, kind, version):
        frame = pd.DataFrame({"d": [datetime.datetime(2000, 3, 15)], "n": [1]})
        frame.to_stata(
            tmp_path / "a.dta", write_index=False, version=version, convert_dates={"d": kind}
        )
        found = stata_frame(RawFile(tmp_path / "a.dta", "a"))["d"].tolist()
        day = datetime.date(2000, 3, 15)
        assert found == [
            {
                "td": day,
                "tc": day,
                "tm": "2000-03",
                "tw": "2000w11",
                "tq": "2000q1",
                "th": "2000h1",
                "ty": 2000,
            }[kind]
        ]

    def test_a_day_that_stands_for_a_year(self, load, workbook):
        _, tables, aside = load("yearbook", FILES / "yb_ty.dta")
        assert tables["yearbook__indicators"]["year"].tolist() == [2010, 2010]
        sheet = [["城市", "年份", "地区生产总值_全市_万元"],
                 ["杭州市", datetime.datetime(2011, 12, 31), 70_197_800]]  # fmt: skip
        _, tables, _ = load("yearbook", workbook("d.xlsx", {"a": sheet}))
        assert tables["yearbook__indicators"]["year"].tolist() == [2011]
        assert len(aside) == 0

    def test_a_month_of_stata_in_records(self, load, tmp_path):
        frame = pd.DataFrame([{**RECORD, "shipment_date": datetime.datetime(2000, 2, 1)}])
        frame.to_stata(
            tmp_path / "a.dta",
            write_index=False,
            version=118,
            convert_dates={"shipment_date": "tm"},
        )
        assert load("customs", tmp_path / "a.dta")[1]["customs__records"][
            ["year", "month"]
        ].values.tolist() == [[2000, 2]]

    def test_chinese_months(self, load):
        assert load("customs", FILES / "month_nian.csv")[1]["customs__records"][
            ["year", "month"]
        ].values.tolist() == [[2000, 1]]

    @pytest.mark.parametrize(
        "date",
        [
            "2000年1月",
            "2000年01月15日",
            "200001.0",
            "2000m1",
            "15jan2000",
            "２０００-01",
            "2000-01-15 00:00:00",
        ],
    )
    def test_other_ways_to_write_a_month(self, customs, date):
        assert customs("a.csv", {"shipment_date": date})[1][["year", "month"]].values.tolist() == [
            [2000, 1]
        ]

    def test_a_month_in_two_columns(self, load, tmp_path):
        record = {**RECORD, "年份": "2000年", "月份": "1.0"}
        del record["shipment_date"]
        pd.DataFrame([record]).to_csv(tmp_path / "a.csv", index=False)
        assert load("customs", tmp_path / "a.csv")[1]["customs__records"][
            ["year", "month"]
        ].values.tolist() == [[2000, 1]]

    def test_dates_of_firms(self, load, tmp_path):
        head = "法人代码,企业名称,dq,cic,工业总产值,从业人员,开业时间,年份\n"
        (tmp_path / "f.csv").write_text(
            head
            + "1,甲,330106,1310,50,20,1998年3月,2005年\n2,乙,330106,1310,50,20,1998-03-01,2005\n",
            encoding="utf-8",
        )
        rows = load("firms", tmp_path / "f.csv")[1]["firms__enterprises"]
        assert rows[["year", "opening_year"]].values.tolist() == [[2005, 1998], [2005, 1998]]


class TestCodesFromSpreadsheets:
    def test_a_lost_zero_comes_back_and_it_is_said(self, load):
        report, tables, aside = load("customs", FILES / "pandas_int.csv")
        assert tables["customs__records"]["hs8"].tolist() == ["84713000", "85171210", "01011010"]
        assert len(aside) == 0
        assert (
            said_of(report, "hs_id")
            == "1 of the codes got back the leading zero that a spreadsheet took"
        )

    def test_codes_that_gained_a_point(self, customs):
        changed = {
            "hs_id": "84713000.0",
            "party_id": "3301234567.0",
            "zip": "310000.0",
            "country": "110.0",
            "exp_imp": "0.0",
        }
        _, rows, _ = customs("a.csv", changed)
        row = rows.iloc[0]
        found = (row["hs8"], row["firm_code"], row["postcode"], row["partner_code"], row["flow"])
        assert found == ("84713000", "3301234567", "310000", "110", "export")

    def test_no_zero_was_lost_where_some_stand(self, customs):
        _, rows, aside = customs("a.csv", {"hs_id": "01011010"}, {"hs_id": "1011010"})
        assert rows["hs8"].tolist() == ["01011010"]
        assert aside["detail"].tolist() == [
            "1011010 (7 digits: a spreadsheet may have taken a zero)"
        ]

    def test_a_figure_lost_elsewhere_is_not_restored(self, customs):
        """Heading 0847 does not exist: 8471300 is a misprint of 84713000, and no code of
        chapter 8.
        """
        _, rows, aside = customs("a.csv", {}, {"hs_id": "8471300"})
        assert (rows["hs8"].tolist(), aside["reason"].tolist()) == (["84713000"], ["bad_hs_code"])

    def test_postcodes_of_a_list(self, load, tmp_path):
        (tmp_path / "d.csv").write_text(
            DISTRICTS + "河北省,石家庄市,长安区,114.5,38.0,50000.0\n", encoding="utf-8"
        )
        report, tables, aside = load("postcodes", tmp_path / "d.csv")
        assert (
            tables["postcodes__districts"]["postcode"].tolist() == ["310013", "315000", "050000"]
            and len(aside) == 0
        )
        assert (
            said_of(report, "zipCode")
            == "1 of the codes got back the leading zero that a spreadsheet took"
        )


class TestCityNames:
    def test_found_and_refused(self):
        names = pd.read_csv(FILES / "names.csv", dtype=str)["城市"]
        unknown = {name for name in names if city_name(name) not in city_names()}
        assert unknown == {
            "杭州巿", "深圳经济特区", "大同市(新)", "涪陵市", "万县市", "达川地区", "永州(零陵)",
            "株州市",
        }  # fmt: skip
        assert "杭州市" in unknown_name_detail("杭州巿")
        assert unknown_name_detail("Suzhou") == "Suzhou (nearest names: 苏州市, 宿州市)"

    @pytest.mark.parametrize(
        ("printed", "name"),
        [
            ("浙江杭州", "杭州"), ("浙江省杭州市", "杭州市"), ("浙江省-杭州市", "杭州市"),
            ("杭州市 Hangzhou", "杭州市"), ("Hangzhou杭州市", "杭州市"),
            ("上海市辖区", "上海"), ("杭州市市辖区", "杭州市"), ("杭州市①", "杭州市"),
            ("宁波市*", "宁波市"), ("嘉兴市[1]", "嘉兴市"), ("湖州市 1)", "湖州市"),
            ("江苏杭州", "江苏杭州"), ("杭洲市", "杭洲市"), ("吉林市", "吉林市"),
            ("海南藏族自治州", "海南藏族自治州"), ("Hangzhou", "杭州市"),
            ("HANGZHOU CITY", "杭州市"), ("xi'an", "西安市"), ("Xian Shi", "西安市"),
            ("330100", "杭州市"), ("4206", "襄阳市"), ("420600", "襄阳市"), ("330106", "330106"),
            ("2010", "2010"), ("4290", "4290"), ("Suzhou", "Suzhou"), ("Zhejiang", "Zhejiang"),
        ],
    )  # fmt: skip
    def test_how_they_are_printed(self, printed, name):
        assert city_name(printed) == name

    def test_in_the_readers_of_cities(self, load, tmp_path):
        (tmp_path / "d.csv").write_text(
            DISTRICTS.replace("浙江省,杭州市", "浙江省,浙江省杭州市"), encoding="utf-8"
        )
        assert load("postcodes", tmp_path / "d.csv")[1]["postcodes__districts"][
            "city_name"
        ].tolist() == ["杭州市", "宁波市"]
        (tmp_path / "浙江省杭州市2010年政府工作报告.txt").write_text(
            "政府工作报告。" * 20, encoding="utf-8"
        )
        _, tables, _ = load("reports", tmp_path / "浙江省杭州市2010年政府工作报告.txt")
        assert tables["reports__texts"]["city_name"].tolist() == ["杭州市"]


class TestSeparators:
    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
    )
    @pytest.mark.parametrize("separator", [",", "\t", ";"])
    def test_other_separators_and_utf_16(self, load, tmp_path, separator, encoding):
        file = tmp_path / "d.csv"
        file.write_text(
            DISTRICTS.replace(",", separator).replace("西湖区", f'"西湖{separator}区"'),
            encoding=encoding,
        )
        report, tables, aside = load("postcodes", file)
        rows = tables["postcodes__districts"]
        assert (report.read_n, len(aside)) == (2, 0)
        assert rows[["city_name", "postcode", "line"]].values.tolist() == [
            ["杭州市", "310013", 2],
            ["宁波市", "315000", 3],
        ]
        assert rows["county_name"][0].replace(separator, "") == "西湖区"

    def test_characters_whose_second_byte_is_a_bar_are_left_whole(self):
        lines = "城市;区县\n杭州市;唡唡\n宁波市;唡唡\n".encode("gb18030")
        assert b"|" in lines
        assert separator_of(lines) == b";"
        assert separator_of("唡唡\n唡唡\n".encode("gb18030")) == b""
        assert not {bytes([byte]) for byte in range(0x40, 0x7F)} & set(SEPARATORS)

    def test_records_with_tabs(self, load, tmp_path):
        for kind, encoding in (("t", "gb18030"), ("u", "utf-16")):
            pd.DataFrame([RECORD, {**RECORD, "company": '乙"厂'}]).to_csv(
                tmp_path / f"{kind}.csv", sep="\t", index=False, encoding=encoding
            )
            assert (
                load("customs", tmp_path / f"{kind}.csv")[1]["customs__records"][
                    "firm_code"
                ].tolist()
                == ["3301234567"] * 2
            )

    def test_a_panel_with_tabs(self, load):
        report, tables, _ = load("yearbook", FILES / "tab.csv")
        (cells,) = tables.values()
        assert cells.set_index("indicator")["value"]["gdp_cny"] == 594_900_000_000
        assert report.file_name == "tab.csv"

    @pytest.mark.parametrize("source", ["yearbook", "customs", "innovation"])
    def test_a_web_page_is_called_one(self, load, source):
        with pytest.raises(
            SourceError,
            match=(
                r"html\.xls: is a web page saved under the name of a workbook.*save it as xlsx or "
                r"csv"
            ),
        ):
            load(source, FILES / "html.xls")

    def test_an_xml_spreadsheet_is_called_one(self, load, tmp_path):
        (tmp_path / "a.xls").write_text(
            '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
            encoding="utf-8",
        )
        with pytest.raises(
            SourceError, match=r"a\.xls: is a spreadsheet saved as XML \(2003\), which is not read"
        ):
            load("innovation", tmp_path / "a.xls")

    def test_prose_with_tabs_stays_prose(self, load, tmp_path):
        report = "政府工作报告\t2010\t杭州\n各位代表\t大家\t好\n" * 10
        (tmp_path / "杭州市2010.txt").write_text(report, encoding="utf-8")
        assert load("reports", tmp_path / "杭州市2010.txt")[1]["reports__texts"][
            "text"
        ].tolist() == [report]


class TestNames:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("海关2000年.csv".encode("gb18030"), "海关2000年.csv"),
            (b"\xff\xfe2000.csv", r"\xff\xfe2000.csv"),
            ("Müller.csv".encode("latin-1"), r"M\xfcller.csv"),
        ],
    )
    def test_a_name_that_is_no_utf_8(self, load, tmp_path, name, shown):
        file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        file.write_bytes((FILES / "pandas_int.csv").read_bytes())
        assert shown_name(file) == shown
        report, tables, _ = load("customs", file)
        assert (report.file_name, len(tables["customs__records"])) == (shown, 3)

    @pytest.mark.parametrize("fixture", ["e_td.dta", "hidden.xlsx"])
    def test_other_kinds_in_a_folder_of_such_a_name(self, load, tmp_path, fixture):
        folder = Path(os.fsdecode(os.fsencode(tmp_path) + "/数据".encode("gb18030")))
        folder.mkdir()
        (folder / fixture).write_bytes((FILES / fixture).read_bytes())
        assert (
            load("yearbook" if fixture.endswith("xlsx") else "customs", folder / fixture)[
                0
            ].accepted_n
            == 2
        )

    def test_an_error_about_it_can_be_printed(self, load, tmp_path):
        file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xb9\xfb\xff.csv"))
        file.write_text("nothing\n", encoding="utf-8")
        with pytest.raises(SourceError) as told:
            load("customs", file)
        assert str(told.value).encode().startswith(rb"\xb9\xfb\xff.csv")
        assert str(SourceError(str(file), "", "is odd", "Rename it")).encode()


class TestEnds:
    def old(self, folder: Path, rows_n: int = 3) -> Path:
        table = np.array(
            [(f"name{at}".encode(), float(at)) for at in range(rows_n)],
            dtype=[("name", "S8"), ("value", "f8")],
        )
        write_stata(folder / "old.dta", table, "")
        return folder / "old.dta"

    def test_an_old_file_whose_head_states_fewer_rows_is_refused(self, tmp_path):
        file = self.old(tmp_path)
        data = bytearray(file.read_bytes())
        data[6:10] = struct.pack("<i", 2)
        file.write_bytes(bytes(data))
        with pytest.raises(
            SourceError, match="it goes on for 16 bytes after the last row that its head states"
        ):
            stata_frame(RawFile(file, "old"))

    def test_an_old_file_that_goes_on_is_refused(self, tmp_path):
        file = self.old(tmp_path)
        file.write_bytes(file.read_bytes() * 2)
        with pytest.raises(SourceError, match="it goes on for"):
            stata_frame(RawFile(file, "old"))

    @pytest.mark.parametrize("version", [117, 118, 119])
    def test_a_new_file_that_goes_on_is_refused(self, tmp_path, version):
        """Two files in one, of which only the first would be read."""
        pd.DataFrame({"x": [1, 2]}).to_stata(tmp_path / "a.dta", write_index=False, version=version)
        whole = (tmp_path / "a.dta").read_bytes()
        (tmp_path / "a.dta").write_bytes(whole + b"\r\n")
        assert stata_frame(RawFile(tmp_path / "a.dta", "a"))["x"].tolist() == [1, 2]
        (tmp_path / "a.dta").write_bytes(whole * 2)
        with pytest.raises(SourceError, match=f"it goes on for {len(whole):,} bytes after its end"):
            stata_frame(RawFile(tmp_path / "a.dta", "a"))

    def test_an_old_file_with_value_labels_ends_with_them(self, tmp_path):
        pd.DataFrame({"x": pd.Categorical(["a", "b"]), "y": pd.Categorical(["c", "d"])}).to_stata(
            tmp_path / "a.dta", write_index=False, version=114
        )
        assert stata_frame(RawFile(tmp_path / "a.dta", "a"))["y"].tolist() == ["c", "d"]
        (tmp_path / "a.dta").write_bytes((tmp_path / "a.dta").read_bytes() + b"more rows")
        with pytest.raises(SourceError, match="it goes on for 9 bytes"):
            stata_frame(RawFile(tmp_path / "a.dta", "a"))

    @pytest.mark.parametrize("source", ["customs", "postcodes", "innovation_like"])
    def test_blank_lines_at_the_end_are_no_work(self, load, tmp_path, source, monkeypatch):
        """Half a million of them took minutes: they are neither parsed one by one nor written out
        again.
        """
        blank = "\r\n" * 500_000
        if source == "customs":
            written: list[int] = []
            mended = transcoding._mended
            monkeypatch.setattr(
                transcoding, "_mended", lambda *line: (written.append(1), mended(*line))[1]
            )
            (tmp_path / "a.csv").write_text(
                pd.DataFrame([RECORD]).to_csv(index=False) + blank, encoding="utf-8"
            )
            assert load("customs", tmp_path / "a.csv")[0].read_n == 1
            assert not written
        elif source == "postcodes":
            (tmp_path / "a.csv").write_text(DISTRICTS + blank, encoding="utf-8")
            assert load("postcodes", tmp_path / "a.csv")[0].read_n == 2
        else:
            (tmp_path / "a.csv").write_text("a,b\n1,2\n" + ",\n" * 3 + blank, encoding="utf-8")
            assert text.read_rows(RawFile(tmp_path / "a.csv", "a")) == [["a", "b"], ["1", "2"]]

    def test_blank_lines_between_rows_still_count(self, load, tmp_path):
        first, second = (
            pd.DataFrame([record]).to_csv(index=False)
            for record in (RECORD, {**RECORD, "shipment_date": "200002"})
        )
        (tmp_path / "a.csv").write_text(
            first + "\n" * 3 + second.split("\n", 1)[1] + "\n\n", encoding="utf-8"
        )
        assert load("customs", tmp_path / "a.csv")[1]["customs__records"]["line"].tolist() == [2, 6]

    def test_one_huge_text_in_a_workbook_is_refused(self, load, tmp_path, workbook):
        """No cell is longer than 32,767 characters; patterns would look through a longer one for
        minutes.
        """
        small = workbook(
            "small.xlsx",
            {"a": [["城市", "年份", "创新指数"], ["杭州市", 2010, 1.5], ["MARK", 2010, 1.5]]},
        )
        with (
            zipfile.ZipFile(small) as before,
            zipfile.ZipFile(tmp_path / "huge.xlsx", "w", zipfile.ZIP_DEFLATED) as after,
        ):
            for name in before.namelist():
                after.writestr(
                    name,
                    before.read(name).replace(b"MARK", os.urandom(1_000_000).hex().encode() * 5),
                )
        with pytest.raises(
            SourceError,
            match=(
                r"huge\.xlsx, sheet a: holds a text of 10,000,000 characters, "
                r"more than the 32,767 of a cell"
            ),
        ):
            load("innovation", tmp_path / "huge.xlsx")
