"""Files as people have them: each kind of fault that public reports and files taught us, in the
readers where it can occur.
"""

from __future__ import annotations

import numpy as np
import openpyxl
import pandas as pd
import pytest

from tests.unit.sources.peoples_cases import FILES, RECORD, said_of
from warehouse.errors import SourceError
from warehouse.simulate.formats.stata import write_stata
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.setting_aside import as_numbers
from warehouse.sources.reading.stata import stata_frame
from warehouse.sources.reading.values import missing


def mangled(value: str) -> str:
    """Chinese as an old Stata file has it: GB18030 bytes that pass for Latin-1."""
    return value.encode("gb18030").decode("latin-1")


class TestValueLabels:
    def test_flows_and_countries_by_their_labels(self, load):
        _, tables, aside = load("customs", FILES / "encoded_flow.dta")
        rows = tables["customs__records"]
        assert rows["flow"].tolist() == ["export", "export", "import"]
        assert rows["partner_name"].tolist() == ["阿富汗", "德国", "英国"]
        assert rows["partner_code"].isna().all() and len(aside) == 0

    def test_a_city_by_its_label(self, load):
        _, tables, aside = load("digital_finance", FILES / "df_enc.dta")
        assert tables["digital_finance__cities"]["name_2018"].tolist() == ["北京市"] * 3
        assert tables["digital_finance__cities"]["index_aggregate"].tolist() == [
            80.78,
            135.73,
            178.97,
        ]
        assert len(aside) == 0

    @pytest.mark.parametrize("version", [114, 117, 118, 119])
    def test_every_format_and_chinese_in_old_ones(self, tmp_path, version):
        told = mangled if version < 118 else str
        frame = pd.DataFrame(
            {
                "city": pd.Categorical([told("北京市"), told("杭州市"), None, told("北京市")]),
                "n": [1, 2, 3, 4],
            }
        )
        frame.to_stata(tmp_path / "a.dta", write_index=False, version=version)
        cities = stata_frame(RawFile(tmp_path / "a.dta", "a"))["city"]
        assert cities.tolist()[:2] + cities.tolist()[3:] == [
            "北京市",
            "杭州市",
            "北京市",
        ] and pd.isna(cities[2])

    def test_codes_without_a_label_stay_numbers(self, tmp_path):
        frame = pd.DataFrame({"x": [1, 2, 3], "y": [1, 2, 3]})
        frame.to_stata(
            tmp_path / "a.dta",
            write_index=False,
            version=118,
            value_labels={"x": {1: "one"}, "y": {7: "seven"}},
        )
        found = stata_frame(RawFile(tmp_path / "a.dta", "a"))
        assert found["x"].tolist() == ["one", 2, 3] and found["y"].tolist() == [1, 2, 3]

    def test_firms_by_labels_too(self, load, tmp_path):
        heads = [
            "法人代码",
            "企业名称",
            "dq",
            "cic",
            "工业总产值_当年价格千元",
            "全部从业人员年平均人数人",
            "固定资产净值年平均余额千元",
        ]
        frame = pd.DataFrame([["123", "杭州厂", 1, 1310, 10.5, 20.0, 1.0]], columns=heads)
        frame.to_stata(
            tmp_path / "f_2007.dta",
            version=118,
            write_index=False,
            value_labels={"dq": {1: "330106"}},
        )
        _, tables, _ = load("firms", tmp_path / "f_2007.dta")
        assert tables["firms__enterprises"]["region_code"].tolist() == ["330106"]


class TestGoodText:
    def test_accents_of_a_new_file_stay(self, load):
        _, tables, _ = load("customs", FILES / "accent.dta")
        assert tables["customs__records"]["firm_name"].tolist() == [
            "Nestlé (Hangzhou)",
            "Société X",
            "Müller",
        ]

    @pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
    def test_accents_stay_in_other_kinds(self, load, tmp_path, kind):
        frame = pd.DataFrame([{**RECORD, "company": "Côte d'Ivoire"}])
        file = tmp_path / f"a.{kind}"
        {
            "csv": lambda: frame.to_csv(file, index=False),
            "xlsx": lambda: frame.to_excel(file, index=False),
            "parquet": lambda: frame.to_parquet(file),
        }[kind]()
        assert load("customs", file)[1]["customs__records"]["firm_name"].tolist() == [
            "Côte d'Ivoire"
        ]

    def test_one_decision_a_column_of_an_old_file(self, tmp_path):
        """A name cut in the middle of a character is one of a Chinese column; accents are none."""
        names = np.array([("杭州".encode("gb18030"), "Müller".encode("latin-1")),
            ("宁波港".encode("gb18030")[:5], "Nestlé".encode("latin-1"))],
                         dtype=[("zh", "S8"), ("west", "S8")])  # fmt: skip
        write_stata(tmp_path / "a.dta", names, "")
        found = stata_frame(RawFile(tmp_path / "a.dta", "a"))
        assert found["zh"].tolist() == ["杭州", "宁波\ufffd"] and found["west"].tolist() == [
            "Müller",
            "Nestlé",
        ]


class TestRoundedCodes:
    def test_a_firm_code_as_float_is_refused(self, load):
        with pytest.raises(
            SourceError,
            match=(
                r"e_f32\.dta, column party_id: holds codes as float, "
                r"of which numbers above 16,777,216 were rounded"
            ),
        ):
            load("customs", FILES / "e_f32.dta")

    @pytest.mark.parametrize("kind", ["dta", "parquet"])
    def test_products_too_whatever_the_kind_of_file(self, load, tmp_path, kind):
        frame = pd.DataFrame([{**RECORD, "hs_id": np.float32(84713000)}])
        frame["hs_id"] = frame["hs_id"].astype("float32")
        file = tmp_path / f"a.{kind}"
        _ = (
            frame.to_parquet(file)
            if kind == "parquet"
            else frame.to_stata(file, write_index=False, version=118)
        )
        with pytest.raises(SourceError, match="column hs_id: holds codes as float"):
            load("customs", file)

    def test_codes_that_a_float_keeps_are_read(self, load, tmp_path):
        frame = pd.DataFrame([{**RECORD, "hs_id": np.float32(1011010)}])
        frame["hs_id"] = frame["hs_id"].astype("float32")
        frame.to_stata(tmp_path / "a.dta", write_index=False, version=118)
        assert load("customs", tmp_path / "a.dta")[1]["customs__records"]["hs8"].tolist() == [
            "01011010"
        ]

    def test_firms_too(self, load, tmp_path):
        heads = [
            "法人代码",
            "企业名称",
            "dq",
            "cic",
            "工业总产值_当年价格千元",
            "全部从业人员年平均人数人",
            "固定资产净值年平均余额千元",
        ]
        frame = pd.DataFrame(
            [[np.float32(123456789), "杭州厂", 330106, 1310, 10.5, 20.0, 1.0]], columns=heads
        ).astype({"法人代码": "float32"})
        frame.to_stata(tmp_path / "f_2007.dta", version=118, write_index=False)
        with pytest.raises(SourceError, match="column 法人代码: holds codes as float"):
            load("firms", tmp_path / "f_2007.dta")

    def test_a_code_in_a_spreadsheets_powers_of_ten_is_set_aside(self, customs):
        _, rows, aside = customs("a.csv", {}, {"party_id": "3.30E+09"})
        assert len(rows) == 1
        assert aside[["reason", "detail"]].values.tolist() == [
            ["rounded_code", "3.30E+09 (a spreadsheet has rounded the code)"]
        ]


class TestHidden:
    def test_a_hidden_sheet_is_unread_and_named(self, load):
        report, tables, _ = load("yearbook", FILES / "hidden.xlsx")
        (cells,) = tables.values()
        assert cells.set_index("indicator")["value"]["gdp_cny"] == 594_900_000_000
        assert ("old", "(the whole sheet)", "the sheet is hidden") in {
            (column["sheet"], column["head"], column["reason"]) for column in report.columns
        }

    def test_hidden_rows_and_columns(self, load, tmp_path):
        book = openpyxl.Workbook()
        sheet = book.active
        for row in [
            ["城市", "年份", "创新指数", "旧指数"],
            ["杭州市", 2010, 1.5, 9],
            ["宁波市", 2010, 2.5, 9],
            ["温州市", 2010, 3.5, 9],
        ]:
            sheet.append(row)
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["D"].hidden = True
        book.save(tmp_path / "a.xlsx")
        report, tables, _ = load("innovation", tmp_path / "a.xlsx")
        assert tables["innovation__cities"][["city_name", "line"]].values.tolist() == [
            ["杭州市", 2],
            ["温州市", 4],
        ]
        unread = [column for column in report.columns if column["indicator"] is None]
        assert {column["head"]: column["reason"] for column in unread} == {
            "(row 3)": "hidden; 1 row with content", "旧指数": "column D is hidden",
        }  # fmt: skip

    def test_rows_that_a_filter_hides_are_read(self, load, tmp_path):
        book = openpyxl.Workbook()
        for row in [["城市", "年份", "创新指数"], ["杭州市", 2010, 1.5], ["宁波市", 2010, 2.5]]:
            book.active.append(row)
        book.active.auto_filter.ref = "A1:C3"
        book.active.auto_filter.add_filter_column(0, ["杭州市"])
        book.active.row_dimensions[3].hidden = True
        book.save(tmp_path / "a.xlsx")
        assert len(load("innovation", tmp_path / "a.xlsx")[1]["innovation__cities"]) == 2

    def test_a_workbook_of_hidden_sheets_only(self, load, tmp_path):
        data = (FILES / "hidden.xlsx").read_bytes()
        book = openpyxl.load_workbook(FILES / "hidden.xlsx")
        book.create_sheet("empty")
        del book["data"]
        book.save(tmp_path / "a.xlsx")
        assert data != (tmp_path / "a.xlsx").read_bytes()
        with pytest.raises(SourceError, match="shows none of the layouts"):
            load("yearbook", tmp_path / "a.xlsx")


class TestCommas:
    def test_a_column_in_decimal_commas(self, load):
        report, tables, aside = load("customs", FILES / "commas.csv")
        assert tables["customs__records"]["value_cents"].tolist() == [123_456, 100_050, 100_000]
        assert tables["customs__records"]["quantity"].tolist() == [1.0, 1.0, 12.5]
        assert aside[["reason", "detail"]].values.tolist() == [["bad_value", "12,34,56"]]
        assert said_of(report, "value") == "read with decimal commas"

    def test_thousands_only_in_groups_of_three(self, customs):
        _, rows, aside = customs(
            "a.csv",
            {"value": "1,234,567.5"},
            {"value": "1,234"},
            {"value": "12,34"},
            {"value": "1,2345"},
        )
        assert rows["value_cents"].tolist() == [123_456_750, 123_400]
        assert aside["reason"].tolist() == ["bad_value"] * 2

    def test_one_mistyped_cell_turns_no_thousands_into_decimals(self, customs):
        report, rows, aside = customs(
            "a.csv", {"value": "1,234"}, {"value": "1,234,567"}, {"value": "12,5"}
        )
        assert rows["value_cents"].tolist() == [123_400, 123_456_700]
        assert aside[["reason", "detail"]].values.tolist() == [["bad_value", "12,5"]]
        assert said_of(report, "value") != "read with decimal commas"

    @pytest.mark.parametrize(
        ("column", "numbers"),
        [
            (["1,234", "12,345.5", "7"], [1234.0, 12345.5, 7.0]),
            (
                ["1234,56", "1.000,50", "12,34,56", "1.000", "7"],
                [1234.56, 1000.5, None, 1000.0, 7.0],
            ),
            (["12,34", "1.5"], [None, 1.5]),  # both cannot be
            (["1,234", "0,5"], [1.234, 0.5]),
            (["1,234", "1,234,567", "12,5"], [1234.0, 1234567.0, None]),
            (["1 234 567", "1 23"], [1234567.0, None]),
        ],
    )
    def test_columns_of_small_tables(self, column, numbers):
        assert (
            as_numbers(pd.Series(column))
            .astype(object)
            .where(lambda found: found.notna(), None)
            .tolist()
            == numbers
        )


class TestMarks:
    def test_numbers_with_footnotes_and_wide_digits(self):
        column = pd.Series(
            [
                "51630000①",
                "29250000*",
                "23000000 [2]",
                "１３０１００００",
                "２５９．２４",
                "1[12]",
                "-３",
            ]
        )
        assert as_numbers(column).tolist() == [
            51630000,
            29250000,
            23000000,
            13010000,
            259.24,
            1,
            -3,
        ]

    def test_marks_that_stand_for_nothing(self):
        column = pd.Series(
            [
                "NA",
                "NaN",
                "nan",
                "null",
                ".",
                "N/A",
                "n.a.",
                "--",
                "－",
                "/",
                "无",
                "缺失",
                "None",
                "―",
                "～",
                "#VALUE!",
                "#DIV/0!",
                "",
                "0",
                "约5",
            ]
        )
        assert missing(column).tolist() == [True] * 18 + [False, False]

    def test_missing_is_not_bad(self, load, tmp_path, workbook):
        rows = [
            ["城市", "2010", "2011", "2012"],
            ["杭州市①", "1.5*", "NA", "#VALUE!"],
            ["宁波市*", "２.5", "约3", "."],
        ]
        report, tables, _ = load("innovation", workbook("创新指数.xlsx", {"创新指数": rows}))
        assert tables["innovation__cities"][["city_name", "innovation_index"]].values.tolist() == [
            ["杭州市", 1.5],
            ["宁波市", 2.5],
        ]
        assert (report.read_n, report.set_aside) == (3, {"bad_number": 1})

    def test_missing_in_records(self, customs):
        _, rows, aside = customs(
            "a.csv",
            {"quantity": "N/A", "company": "无", "zip": "."},
            {"quantity": "若干"},
            {"country": "NA"},
        )
        assert rows[["quantity", "firm_name", "postcode"]].isna().values.tolist()[0] == [
            True,
            True,
            True,
        ]
        assert rows["partner_name"].isna().tolist() == [True, False]  # NA is Namibia
        assert aside["reason"].tolist() == ["bad_quantity"]

    def test_missing_of_firms_and_of_history(self, load, tmp_path):
        (tmp_path / "firms_2005.csv").write_text(
            (
                "法人代码,企业名称,dq,cic,工业总产值,从业人员,工业增加值\n"
                "1,甲,330106,1310,５0*,20,无\n"
            ),
            encoding="utf-8",
        )
        _, tables, aside = load("firms", tmp_path / "firms_2005.csv")
        assert (
            tables["firms__enterprises"]["firm_output_cny"].tolist() == [50_000] and len(aside) == 0
        )
        (tmp_path / "h.csv").write_text(
            "城市,1984年邮局数量(个),1933年是否通铁路\n浙江省杭州市,12①,NA\n宁波市,缺失,是\n",
            encoding="utf-8",
        )
        _, tables, aside = load("history", tmp_path / "h.csv")
        assert (
            tables["history__cities"]["city_name"].tolist() == ["杭州市", "宁波市"]
            and len(aside) == 0
        )
