"""The command line: answers in three forms, one clear sentence when something is wrong, and no way
to write.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from flows import cli
from flows.cli import main
from flows.processes import lock
from flows.telling.printing import cell_text, guarded, table, width, write_csv, write_json
from tests.conftest import PROJECT, MakeRelease, environment
from warehouse.errors import CitytradeError, ReleaseError
from warehouse.query.statements import reading_statement
from warehouse.settings.config import Config


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("before", [True, False])
def test_config_may_stand_before_or_after_the_command(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str], before: bool
) -> None:
    make_release()
    option = ("--config", str(tiny_config.path))
    code, out, _ = run(capsys, *(option if before else ()), "panels", *(() if before else option))
    assert code == 0
    assert "city_year" in out


def test_sql_as_a_table_aligns_chinese_and_tells_what_is_left_out(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str]
) -> None:
    make_release()
    query = "select city_name_zh, hs6_n from city_year where city_name_zh <> '=1+1' order by hs6_n"
    code, out, _ = run(capsys, "sql", query, "--limit", "2", "--config", str(tiny_config.path))
    assert code == 0
    assert out.splitlines() == [
        "city_name_zh  hs6_n",
        "------------  -----",
        "邯郸市            2",
        "杭州市            5",
        "2 more rows of 4; --format csv or json gives all, --limit N more.",
    ]


def test_sql_as_csv_and_json_gives_all_rows(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str]
) -> None:
    make_release()
    query = (
        "select city_code, city_name_zh, export_value_usd, is_open from city_year order by 1, year"
    )
    _, out, _ = run(
        capsys, "sql", query, "--format", "csv", "--limit", "1", "--config", str(tiny_config.path)
    )
    rows = list(csv.reader(io.StringIO(out)))
    assert rows[1] == ["0101", "'=1+1", "", ""]
    assert rows[3] == ["3301", "杭州市", "10.25", "true"]
    assert len(rows) == 6
    _, out, _ = run(capsys, "sql", query, "--format", "json", "--config", str(tiny_config.path))
    objects = json.loads(out)
    assert objects[0] == {
        "city_code": "0101",
        "city_name_zh": "=1+1",
        "export_value_usd": None,
        "is_open": None,
    }
    assert objects[2]["export_value_usd"] == 10.25


@pytest.mark.parametrize(
    "statement",
    [
        "select 1",
        "with a as (select 1) select * from a",
        "from city_year",
        "values (1)",
        "describe city_year",
        "show tables",
        "summarize city_year",
        "explain select 1",
        "select 1;",
    ],
)
def test_reading_statements_are_let_through(statement: str) -> None:
    assert reading_statement(statement) is not None


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("delete from city_year", "read-only: the statement must begin with SELECT"),
        ("copy (select 1) to 'x.csv'", "read-only"),
        ("create temp table x as select 1", "read-only"),
        ("set threads = 1", "read-only"),
        ("pragma database_size", "read-only"),
        ("-- hidden\n pragma database_size", "read-only"),
        ("call pragma_version()", "read-only"),
        ("attach 'x'", "read-only"),
        ("select 1; select 2", "2 statements given, one expected"),
        ("", "0 statements given"),
        ("selec 1", "syntax error"),
        ("pivot city_year on year using sum(hs6_n)", "PIVOT needs its values"),
    ],
)
def test_other_statements_are_refused_with_a_sentence(statement: str, message: str) -> None:
    with pytest.raises(CitytradeError, match=message):
        reading_statement(statement)


def test_an_error_is_one_message_and_exit_code_1(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str]
) -> None:
    make_release()
    code, out, err = run(
        capsys, "sql", "select gdp from city_year", "--config", str(tiny_config.path)
    )
    assert (code, out) == (1, "")
    assert err.startswith("citytrade: Binder Error")
    assert "citytrade describe NAME" in err
    assert "Traceback" not in err


def test_a_missing_configuration_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, _, err = run(capsys, "panels", "--config", str(tmp_path / "no.toml"))
    assert code == 1
    assert "no such configuration file" in err


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_panel_is_saved(
    tiny_config: Config,
    make_release: MakeRelease,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    suffix: str,
) -> None:
    make_release()
    file = tmp_path / f"panel{'.simulated' if suffix == '.csv' else ''}{suffix}"
    code, out, err = run(
        capsys,
        "panel",
        "city_year",
        "--years",
        "2003",
        "2004",
        "-o",
        str(file),
        "--config",
        str(tiny_config.path),
    )
    assert (code, err) == (0, "")
    assert "4 rows of city_year" in out
    assert "SIMULATED" in out
    frame = (
        pd.read_csv(file, dtype={"city_code": str}) if suffix == ".csv" else pd.read_parquet(file)
    )
    assert frame["city_code"].tolist() == ["0101", "0101", "3301", "3301"]
    assert frame["city_name_zh"].tolist()[0] == ("'=1+1" if suffix == ".csv" else "=1+1")
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_a_panel_is_not_saved_under_another_ending(
    tiny_config: Config,
    make_release: MakeRelease,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    make_release()
    code, _, err = run(
        capsys,
        "panel",
        "city_year",
        "-o",
        str(tmp_path / "x.sav"),
        "--config",
        str(tiny_config.path),
    )
    assert code == 1
    assert "saved as .parquet, .csv, .dta, .xlsx" in err


def test_real_numbers_are_not_called_simulated(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str]
) -> None:
    make_release(is_simulated=False)
    _, out, err = run(capsys, "panel", "city_year", "--config", str(tiny_config.path))
    assert "SIMULATED" not in out + err


def test_output_stays_utf8_under_any_locale_and_survives_a_closed_pipe(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    make_release()
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "sql",
        "select '杭州' as name from range(100000)",
        "--format",
        "csv",
        "--config",
        str(tiny_config.path),
    ]
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**environment(), "PYTHONIOENCODING": "ascii"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert [process.stdout.readline() for _ in range(2)] == [b"name\n", "杭州\n".encode()]
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_widths_and_cells() -> None:
    assert (width("杭州ab"), width("é")) == (6, 1)
    assert table(["a"], []) == "a\n-"
    assert table(["name", "n"], [["一二三四五", 1]], cell_width=6).splitlines()[-1] == "一二…  1"
    assert [
        cell_text(value) for value in (None, float("nan"), True, 2.0, 1234.5, 0.25, 1e-9, 1234567.8)
    ] == [
        "",
        "",
        "true",
        "2",
        "1234.50",
        "0.2500",
        "1e-09",
        "1234568",
    ]


@pytest.mark.parametrize(
    "text", ["=1+1", "+86", "-1", "@cmd", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠cmd"]
)
def test_csv_cells_that_look_like_formulas_are_guarded(text: str) -> None:
    assert guarded(text) == f"'{text}"


HIDDEN = [
    "",
    " ",
    "\u00a0",
    "\u3000",
    "\u200b",
    "\ufeff",
    "\u2060",
    "\u200e \u3000",
    "\x00",
    "\x0b",
]


@pytest.mark.parametrize("before", HIDDEN)
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＠"])
def test_a_formula_hides_behind_no_blank_and_no_semicolon(before: str, sign: str) -> None:
    assert guarded(f"{before}{sign}1") == f"'{before}{sign}1"
    assert guarded(f"杭州;{before}{sign}1;b") == f"杭州;'{before}{sign}1;b"


@pytest.mark.parametrize("text", ["杭州 - 宁波", "a=b", "1+1", "a; b", "x@y", "", ";", "小计：-"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert guarded(text) == text


def test_numbers_are_not_guarded_and_stay_exact() -> None:
    sink = io.StringIO()
    write_csv(["a", "b"], [[-1, Decimal("-2.50")]], sink)
    assert sink.getvalue() == "a,b\n-1,-2.50\n"
    sink = io.StringIO()
    write_json(["a", "b", "c"], [[Decimal("12345678901234567"), float("inf"), ["一"]]], sink)
    assert json.loads(sink.getvalue()) == [{"a": 12345678901234567, "b": None, "c": ["一"]}]


def test_a_second_refresh_is_told_who_runs(tiny_config: Config) -> None:
    with (
        lock.hold(tiny_config.home),
        pytest.raises(ReleaseError, match=r"already running \(process \d+ on .*, since .* UTC\)"),
        lock.hold(tiny_config.home),
    ):
        pass


def test_json_keeps_both_columns_of_one_name(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str]
) -> None:
    make_release()
    _, out, _ = run(
        capsys,
        "sql",
        "select 1 as a, 2 as a, 3 as a_1, 4 as a",
        "--format",
        "json",
        "--config",
        str(tiny_config.path),
    )
    assert json.loads(out) == [{"a": 1, "a_2": 2, "a_1": 3, "a_3": 4}]


@pytest.mark.parametrize("limit", ["-1", "two", "²"])
def test_a_limit_that_is_no_number_of_rows_is_wrong_usage(
    tiny_config: Config, capsys: pytest.CaptureFixture[str], limit: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sql", "select 1", "--limit", limit, "--config", str(tiny_config.path)])
    assert ended.value.code == 2
    assert f"'{limit}' is no number of rows; give 0 or more" in capsys.readouterr().err


def test_a_home_that_cannot_be_written_to_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    config = tmp_path / "citytrade.toml"
    config.write_text('[warehouse]\nhome = "file/home"\n', encoding="utf-8")
    code, _, err = run(capsys, "refresh", "--config", str(config))
    assert code == 1
    assert (
        err
        == f"citytrade: {tmp_path}/file/home: the home cannot be written to (Not a directory). "
        + "Choose another home in [warehouse], or give yourself the right to write there.\n"
    )


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert re.fullmatch(r"citytrade \d+\.\d+\.\d+( \([0-9a-f]{13}\))?\n", capsys.readouterr().out)


def test_a_shell_is_told_what_could_come_next() -> None:
    """As the shell asks after `citytrade re<Tab>`."""
    asked = {
        "_ARGCOMPLETE": "1",
        "COMP_LINE": "citytrade re",
        "COMP_POINT": "12",
        "_ARGCOMPLETE_IFS": " ",
        "_ARGCOMPLETE_STDOUT_FILENAME": "/dev/stdout",
    }
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli"],
        cwd=PROJECT,
        env={**environment(), **asked},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert sorted(done.stdout.split()) == ["rebuild", "refresh", "releases"]


def test_a_wheel_without_the_models_refuses_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "DBT_PROJECT", tmp_path / "dbt_project")
    code, out, err = run(capsys, "panels")
    assert (code, out) == (1, "")
    assert err.startswith(
        f"citytrade: {tmp_path / 'dbt_project'} is not there: citytrade builds from a clone of its"
        " repository, not from a wheel alone."
    )


def test_a_table_of_a_paper_survives_a_closed_pipe(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    """Its help is longer than the pipe that nobody reads; Python would else end with a
    BrokenPipeError.
    """
    code = (
        "import os, sys, runpy; sys.argv = ['report', '--help']; os.write(1, "
        "b'x' * 60_000); runpy.run_module('analysis.report', run_name='__main__')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
