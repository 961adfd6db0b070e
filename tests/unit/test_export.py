"""Panels as files: labels, units and Chinese text come back from each format, the same panel gives
the same bytes, nothing is half-written.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.cli import main
from flows.doors.export import save, save_all
from flows.doors.export_files import WRITERS, XLSX_ROWS, frame_rows, stata_names
from flows.telling.printing import write_csv
from tests.conftest import PROJECT, MakeRelease, environment
from warehouse import panel
from warehouse.errors import CitytradeError
from warehouse.settings.config import Config

RSCRIPT = shutil.which("Rscript")
HAVEN = (
    RSCRIPT is not None
    and subprocess.run([RSCRIPT, "-e", "library(haven)"], capture_output=True).returncode == 0
)


@pytest.fixture
def frame(tiny_config: Config, make_release: MakeRelease) -> pd.DataFrame:
    make_release()
    return panel("city_year", config=tiny_config)


@pytest.mark.parametrize("ending", list(WRITERS))
def test_the_same_panel_gives_the_same_bytes_and_no_leftover(
    frame: pd.DataFrame, tmp_path: Path, ending: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    first, second = (save(frame, folder / f"{name}{ending}") for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    beside = ["a.simulated.csv.json", "b.simulated.csv.json"] if ending == ".csv" else []
    assert sorted(file.name for file in folder.iterdir()) == sorted(
        [first.name, second.name, *beside]
    )


def test_a_csv_says_by_its_name_and_beside_it_that_it_is_simulated(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    file = save(frame, tmp_path / "p.csv")
    assert file.name == "p.simulated.csv"
    about = json.loads((tmp_path / "p.simulated.csv.json").read_text(encoding="utf-8"))
    assert (about["simulated"], about["panel"], about["rows"]) == (True, "city_year", 5)
    assert about["columns"]["export_value_usd"]["unit"] == "USD"
    assert save(frame, tmp_path / "my_SIMULATED.csv").name == "my_SIMULATED.csv"
    frame.attrs["simulated"] = False
    assert save(frame, tmp_path / "q.csv").name == "q.csv"
    assert json.loads((tmp_path / "q.csv.json").read_text(encoding="utf-8"))["simulated"] is False


def test_chinese_labels_on_request(frame: pd.DataFrame, tmp_path: Path) -> None:
    save(frame, tmp_path / "p.dta", "zh")
    _, meta = pyreadstat.read_dta(str(tmp_path / "p.dta"))
    assert meta.column_names_to_labels["export_value_usd"] == "出口额（USD）"
    save(frame, tmp_path / "p.xlsx", "zh")
    heads = [
        cell.value
        for cell in next(openpyxl.load_workbook(tmp_path / "p.xlsx")["data"].iter_rows(max_row=1))
    ]
    assert heads == [
        "city_code",
        "year",
        "city_name_zh",
        "出口额（USD）",
        "hs6_n",
        "is_open",
    ]  # the others have no entry


def test_rows_come_as_parquet_from_a_pipe(
    tiny_config: Config, make_release: MakeRelease, tmp_path: Path
) -> None:
    make_release()
    for at, asked in enumerate(
        (
            ["sql", "select city_code, hs6_n, hs6_n from city_year order by 2"],
            ["panel", "city_year"],
        )
    ):
        command = [
            sys.executable,
            "-m",
            "flows.cli",
            *asked,
            "--format",
            "parquet",
            "--config",
            str(tiny_config.path),
        ]
        done = subprocess.run(
            command, cwd=PROJECT, env=environment(), capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        (tmp_path / f"{at}.parquet").write_bytes(done.stdout)
    assert pq.read_table(tmp_path / "0.parquet").column_names == ["city_code", "hs6_n", "hs6_n_1"]
    assert pq.read_table(tmp_path / "0.parquet")["hs6_n"].to_pylist() == [2, 5, 7, 9, None]
    assert (
        json.loads(pq.read_schema(tmp_path / "1.parquet").metadata[b"citytrade"])["simulated"]
        is True
    )


def test_parquet_carries_units_labels_and_origin(frame: pd.DataFrame, tmp_path: Path) -> None:
    save(frame, tmp_path / "p.parquet")
    schema = pq.read_schema(tmp_path / "p.parquet")
    assert {
        key.decode(): text.decode()
        for key, text in schema.field("export_value_usd").metadata.items()
    } == frame.attrs["columns"]["export_value_usd"]
    about = json.loads(schema.metadata[b"citytrade"])
    assert (about["panel"], about["simulated"], about["rows"]) == ("city_year", True, 5)
    read = pq.read_table(tmp_path / "p.parquet")
    assert list(zip(*read.to_pydict().values(), strict=True)) == list(frame_rows(frame))
    assert (
        pd.read_parquet(tmp_path / "p.parquet")["city_name_zh"].tolist()
        == frame["city_name_zh"].tolist()
    )


def test_stata_carries_labels_units_and_chinese(frame: pd.DataFrame, tmp_path: Path) -> None:
    save(frame, tmp_path / "p.dta")
    read, meta = pyreadstat.read_dta(str(tmp_path / "p.dta"))
    assert meta.column_names_to_labels["export_value_usd"] == "Exports (USD)"
    assert meta.file_label == f"SIMULATED city_year, release {frame.attrs['release']}"
    assert read["city_name_zh"].tolist() == frame["city_name_zh"].tolist()
    assert read["city_code"].tolist() == ["0101", "0101", "3301", "3301", "3301"]
    assert read["export_value_usd"].isna().tolist() == frame["export_value_usd"].isna().tolist()
    assert (
        pd.read_stata(tmp_path / "p.dta")["hs6_n"].dropna().tolist()
        == frame["hs6_n"].dropna().tolist()
    )


@pytest.mark.skipif(not HAVEN, reason="Rscript with the package haven is not installed")
def test_haven_reads_the_stata_file(frame: pd.DataFrame, tmp_path: Path) -> None:
    save(frame, tmp_path / "p.dta")
    code = (
        "d <- haven::read_dta(commandArgs(TRUE)[1]); cat(nrow(d), attr(d$export_value_usd,"
        ' "label"), d$city_name_zh[d$city_code == "3301"][1], sum(is.na(d$hs6_n)), sep="|")'
    )
    done = subprocess.run(
        [str(RSCRIPT), "-e", code, str(tmp_path / "p.dta")],
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    assert done.stdout == "5|Exports (USD)|杭州市|1"


def test_a_workbook_has_data_dictionary_and_origin_and_no_formula(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    save(frame, tmp_path / "p.xlsx")
    book = openpyxl.load_workbook(tmp_path / "p.xlsx")
    assert book.sheetnames == ["data", "dictionary", "about"]
    rows = [[cell.value for cell in row] for row in book["data"].iter_rows()]
    assert rows[0] == list(frame.columns)
    assert rows[1][rows[0].index("city_name_zh")] == "=1+1"
    assert {cell.data_type for row in book["data"].iter_rows() for cell in row} <= {
        "s",
        "n",
        "b",
    }  # f would be a formula
    assert rows[3][rows[0].index("city_name_zh")] == "杭州市"
    assert ["export_value_usd", "USD", "Exports", "出口额", "All.", "全部。"] in [
        [cell.value for cell in row] for row in book["dictionary"].iter_rows()
    ]
    about = dict([cell.value for cell in row] for row in book["about"].iter_rows())
    assert about["simulated"] is True
    assert "模拟数据" in about["note"]


def test_a_panel_longer_than_a_sheet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        CitytradeError,
        match=r"a sheet holds 1,048,575 rows and the panel has 1,048,576\. Save it as \.parquet",
    ):
        save(pd.DataFrame({"year": range(XLSX_ROWS)}), tmp_path / "long.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_values_of_any_kind_and_reserved_names_reach_stata_and_a_workbook(tmp_path: Path) -> None:
    odd = pd.DataFrame(
        {
            "in": [1, 2],
            "moment": [datetime(2020, 1, 2, 3, 4, 5), None],
            "day": [date(2020, 1, 2), None],
            "parts": [["一", 2], None],
            "text": ["长" * 3000, "b"],
        }
    )
    save(odd, tmp_path / "odd.dta")
    read, meta = pyreadstat.read_dta(str(tmp_path / "odd.dta"))
    assert meta.column_names_to_labels["in_"] == "in: in"
    assert read.drop(columns="text").values.tolist() == [
        [1, "2020-01-02 03:04:05", "2020-01-02", "['一', 2]"],
        [2, "", "", ""],
    ]
    assert read["text"].tolist() == ["长" * 3000, "b"]
    save(odd, tmp_path / "odd.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "odd.xlsx")["data"].values)
    assert rows[1] == (
        1,
        datetime(2020, 1, 2, 3, 4, 5),
        datetime(2020, 1, 2),
        "['一', 2]",
        "长" * 3000,
    )
    assert rows[2] == (2, None, None, None, "b")
    formats = [
        cell.number_format for cell in openpyxl.load_workbook(tmp_path / "odd.xlsx")["data"][2]
    ]
    assert formats[1:3] == ["yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"]


def every_kind() -> pd.DataFrame:
    """Values that a csv must not change, lose or obey, in every type that a panel may have."""
    texts = [
        "杭州市", "", None, "=1+1", "a,b", 'say "yes"', "two\nlines", "a\rb", " lead", "#", "\t-1",
        "；=1", "a;=b", "'", "null", "nan",
    ]  # fmt: skip
    numbers = [
        0.1, 1e16, 9999999999999998.0, 1e-5, 0.0001, -0.0, 3.0, float("inf"), -float("inf"), None,
        5e-324, 1.7976931348623157e308, 123456789.12, -2.5, 1e22, 2 / 3,
    ]  # fmt: skip
    n = len(texts)
    return pd.DataFrame(
        {
            "text": pd.Series(texts, dtype=pd.StringDtype(na_value=float("nan"))),
            "number": numbers,
            "short": pd.Series(numbers[:1] * n, dtype="float32"),
            "count": pd.array([None, *range(n - 1)], dtype="Int64"),
            "huge": pd.Series([2**64 - 1] * n, dtype="uint64"),
            "is": pd.array([True, False, None, True] * (n // 4), dtype="boolean"),
            "was": [True, False] * (n // 2),
            "day": [date(2020, 1, 2), None] * (n // 2),
            "moment": pd.Series([datetime(2020, 1, 2, 3, 4, 5), None] * (n // 2)),
            "parts": [["=一", 2], None] * (n // 2),
            "exact": [Decimal("-2.50"), None] * (n // 2),
            "mixed": [True, 1.5, "=x", None] * (n // 4),
            '=head "a", b': texts,
        }
    )


@pytest.mark.parametrize("columns", [None, ["text"], ["number"], ["is"], ["mixed"]])
@pytest.mark.parametrize("rows", [0, 16])
def test_a_csv_is_byte_by_byte_what_is_printed_row_by_row(
    tmp_path: Path, columns: list[str] | None, rows: int
) -> None:
    frame = every_kind().head(rows)
    frame = frame if columns is None else frame[columns]
    by_rows = io.StringIO()
    write_csv(list(frame.columns), frame_rows(frame), by_rows)
    file = save(frame, tmp_path / "p.csv")
    assert file.read_bytes() == by_rows.getvalue().encode("utf-8-sig")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(st.text(), st.floats(), st.integers(-(2**63), 2**63 - 1), st.booleans()),
        min_size=1,
    )
)
def test_any_value_of_a_csv_is_printed_as_row_by_row(
    tmp_path: Path, rows: list[tuple[str, float, int, bool]]
) -> None:
    frame = pd.DataFrame(rows, columns=["text", "number", "count", "is"])
    frame["text"] = frame["text"].astype(pd.StringDtype(na_value=float("nan")))
    by_rows = io.StringIO()
    write_csv(list(frame.columns), frame_rows(frame), by_rows)
    assert save(frame, tmp_path / "p.csv").read_bytes() == by_rows.getvalue().encode("utf-8-sig")


def test_rows_of_a_long_csv_keep_their_order(tmp_path: Path) -> None:
    frame = pd.DataFrame({"row": range(200_000), "value": 0.5})
    read = pd.read_csv(save(frame, tmp_path / "p.csv"))
    assert read["row"].tolist() == list(range(200_000))


def test_frames_put_under_each_other_are_one_csv(tmp_path: Path) -> None:
    """Their texts lie in several pieces, as those of the dictionary of every panel do."""
    part = pd.DataFrame({"name": pd.Series(["市", None], dtype="str"), "n": [1, 2]})
    whole = pd.concat([part, part], ignore_index=True)
    read = pd.read_csv(save(whole, tmp_path / "p.csv"))
    assert read["name"].fillna("").tolist() == ["市", "", "市", ""]


def test_a_workbook_holds_texts_that_a_cell_takes_and_says_infinity(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"text": ["a\x01b", "长" * 40_000], "number": [float("inf"), -float("inf")]}
    )
    rows = list(openpyxl.load_workbook(save(frame, tmp_path / "p.xlsx"))["data"].values)
    assert rows == [("text", "number"), ("ab", "inf"), ("长" * 32_767, "-inf")]


def test_a_number_that_a_format_does_not_hold_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        CitytradeError,
        match=r"x\.dta: the format does not hold this panel \(Column x .*Save it as \.parquet",
    ):
        save(pd.DataFrame({"x": [1e308, 1.0]}), tmp_path / "x.dta")
    assert list(tmp_path.iterdir()) == []


def test_a_panel_too_long_for_a_sheet_is_told_before_anything_is_written(
    tiny_config: Config, make_release: MakeRelease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_release()
    monkeypatch.setattr("flows.doors.export.XLSX_ROWS", 5)
    said: list[str] = []
    with pytest.raises(
        CitytradeError, match="city_year: a sheet holds 4 rows and there are more. Use --as parquet"
    ):
        save_all(tiny_config, tmp_path / "out", "xlsx", said.append)
    assert said == []


def test_long_names_are_shortened_for_stata_without_clashes() -> None:
    names = [
        "district_population_nonagricultural_n",
        "district_population_nonagricultural_m",
        "year",
        "a" * 40,
        "a" * 39 + "b",
    ]
    short = stata_names(names)
    assert short["year"] == "year"
    assert len(set(short.values())) == len(names)
    assert all(len(name) <= 32 and name.isidentifier() for name in short.values())


def test_everything_is_saved_with_a_dictionary_all_or_nothing(
    tiny_config: Config,
    make_release: MakeRelease,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_release()
    folder = tmp_path / "out"
    assert main(["export-all", str(folder), "--as", "csv", "--config", str(tiny_config.path)]) == 0
    assert "SIMULATED" in capsys.readouterr().out
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.txt",
        "city_year.simulated.csv",
        "city_year.simulated.csv.json",
        "dictionary.csv",
    ]
    dictionary = pd.read_csv(folder / "dictionary.csv", dtype=str)
    assert dictionary.loc[
        dictionary["column_name"] == "export_value_usd", ["panel", "unit", "label_zh"]
    ].values.tolist() == [["city_year", "USD", "出口额"]]
    assert (
        (folder / "README.txt").read_text(encoding="utf-8").startswith("SIMULATED DATA - 模拟数据")
    )
    with pytest.raises(CitytradeError, match="is there already"):
        save_all(tiny_config, folder, "csv", print)


def test_an_export_that_fails_leaves_nothing(
    tiny_config: Config, make_release: MakeRelease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_release()

    def full(_: object, file: Path, __: str) -> None:
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(WRITERS, ".csv", full)
    with pytest.raises(CitytradeError, match="cannot be written \\(No space left on device\\)"):
        save_all(tiny_config, tmp_path / "out", "csv", print)
    assert [entry.name for entry in tmp_path.iterdir() if "out" in entry.name] == []
