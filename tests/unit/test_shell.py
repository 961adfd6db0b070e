"""The SQL door for many: what is refused and with which sentence, limits of a query, and
the shell.
"""

from __future__ import annotations

import io
import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flows.cli import main
from flows.doors.shell import Shell, end_of_statement, is_command
from flows.doors.sql import Door, run_sql
from tests.conftest import PROJECT, MakeRelease, environment
from warehouse.errors import CitytradeError
from warehouse.query.limits import Limits
from warehouse.settings.config import Config
from warehouse.store import release_folder


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("drop table city_year", "read-only: the statement must begin with SELECT"),
        ("insert into city_year values (1)", "read-only"),
        ("create table t as select 1", "read-only"),
        ("attach 'other.duckdb' as o", "It cannot attach another database"),
        ("detach warehouse", "It cannot detach a database"),
        ("install httpfs", "It cannot install or load extensions"),
        ("load icu", "It cannot install or load extensions"),
        ("copy city_year to 'x.csv'", "`citytrade panel NAME -o FILE` saves a panel"),
        ("export database 'x'", "`citytrade export-all DIR` saves every panel"),
        ("set memory_limit = '100GB'", "--seconds and --memory set the limits"),
        ("reset memory_limit", "read-only"),
        ("pragma database_list", "read-only"),
        ("/* x */ pragma database_list", "read-only"),
        ("call pragma_version()", "read-only"),
        ("from read_csv('/etc/passwd')", "reads a file or the network"),
        ("from '/etc/passwd'", "Table with name /etc/passwd does not exist"),
        ("select * from glob('/*')", "reads a file or the network"),
        ("select content from read_text('/etc/passwd')", "reads a file or the network"),
        (
            "from read_parquet('https://example.org/x.parquet')",
            "reads a file or the network|extension",
        ),
        ("select 1; drop table city_year", "2 statements given, one expected"),
        ("explain analyze create temp table x as select 1", "read-only"),
        ("explain analyze create temp view city_year as select 1", "read-only"),
        ("/* a */ explain -- b\n analyze set search_path = 'meta'", "read-only"),
        ("explain (analyze, format json) pragma enable_verification", "read-only"),
        (
            "from enable_logging('QueryLog', storage='file')",
            "enable_logging is no function for reading",
        ),
        (
            'from system.main."enable_profiling"(format=json)',
            "enable_profiling is no function for reading",
        ),
        ("from query('from enable_' || 'logging()')", "query is no function for reading"),
        ("select query" + "/**/" * 60, "does not exist|not found|Binder"),
        ("select write_log('x')", "write_log is no function for reading"),
    ],
)
def test_what_does_not_read_the_release_is_refused_with_a_sentence(
    tiny_config: Config, make_release: MakeRelease, statement: str, sentence: str
) -> None:
    make_release()
    with pytest.raises(CitytradeError, match=sentence):
        run_sql(tiny_config, statement, "table", 10, sink=io.StringIO())


def test_a_query_over_its_time_is_stopped(tiny_config: Config, make_release: MakeRelease) -> None:
    make_release()
    with pytest.raises(CitytradeError, match=r"stopped after 0\.3 s\. Narrow it"):
        run_sql(
            tiny_config,
            "select sum(a.range * b.range) from range(10000000) a, range(10000000) b",
            "table",
            10,
            Limits(seconds=0.3),
            io.StringIO(),
        )


def test_a_query_over_its_memory_is_stopped_and_fills_no_disk(
    tiny_config: Config, make_release: MakeRelease, tmp_path: Path
) -> None:
    make_release()
    with pytest.raises(CitytradeError, match="wanted more than 50MB of memory"):
        run_sql(
            tiny_config,
            "select length(string_agg(range::varchar || repeat('x', 50), '')) from range(5000000)",
            "table",
            10,
            Limits(60, "50MB"),
            io.StringIO(),
        )
    assert list(tiny_config.builds.rglob("*.tmp")) == []


@pytest.mark.parametrize(
    ("option", "value"),
    [("--seconds", "0"), ("--seconds", "soon"), ("--memory", "2"), ("--memory", "lots")],
)
def test_limits_that_are_none_are_wrong_usage(tiny_config: Config, option: str, value: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sql", "select 1", option, value, "--config", str(tiny_config.path)])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("select 1;", 8),
        ("select ';'", None),
        ("select ';';", 10),
        ("select 1 -- ;", None),
        ("select 1 /* ; */;", 16),
        ('select ";" ;', 11),
        ("select 'it''s;';", 15),
        ("", None),
        ("select $$a;b$$;", 14),
        ("select $x$a;$$;$x$;", 18),
        ("select $$a;", None),
        ("select e'it\\'s;';", 16),
        ("select '\\';", 10),
    ],
)
def test_a_statement_ends_at_a_semicolon_outside_quotes_and_comments(
    text: str, at: int | None
) -> None:
    assert end_of_statement(text) == at


def test_statements_of_a_pipe_are_run_one_by_one(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    make_release()
    text = (
        ".format csv\nselect city_name_zh\nfrom city_year where year = 2005;\n"
        "drop table city_year; select 2 as b;\n.quit\nselect 3 as c;\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "sql", "--config", str(tiny_config.path)],
        input=text, cwd=PROJECT, env=environment(), capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1  # one of them failed, and a script must see that
    assert done.stdout == "city_name_zh\n杭州市\nb\n2\n"
    assert "read-only" in done.stderr


def test_a_pipe_that_ends_in_a_comment_is_no_error(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    make_release()
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "sql", "--format", "csv", "--config",
        str(tiny_config.path)],
        input="select 1 as a; -- one\n;\n/* the end */\n", cwd=PROJECT, env=environment(),
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "a\n1\n", "")


@pytest.mark.parametrize(
    "statement",
    [
        "explain select 1",
        "explain analyze from city_year",
        "explain (analyze, format json) select 1",
        "explain (select 1)",
    ],
)
def test_what_reads_may_be_explained(
    tiny_config: Config, make_release: MakeRelease, statement: str
) -> None:
    make_release()
    sink = io.StringIO()
    run_sql(tiny_config, statement, "table", 10, sink=sink)
    assert sink.getvalue()


def test_an_interruption_stops_the_query_and_not_the_shell(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str]
) -> None:
    make_release()
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # ignored where the tests were started in the background
    try:
        with Door(release_folder(tiny_config), Limits()) as door:
            shell = Shell(door, "csv", 10)
            threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            shell.run("select sum(a.range * b.range) from range(10000000) a, range(10000000) b")
            shell.run("select 1 as a")
    finally:
        signal.signal(signal.SIGINT, before)
    captured = capsys.readouterr()
    assert captured.err == "citytrade: the query was stopped.\n"
    assert captured.out == "a\n1\n"


def test_the_shell_completes_tables_columns_and_commands(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    make_release()
    with Door(release_folder(tiny_config), Limits()) as door:
        shell = Shell(door, "table", 10)
        assert [shell.complete("city_", at) for at in range(4)] == [
            "city_code",
            "city_name_zh",
            "city_year",
            None,
        ]
        assert shell.complete("indices.", 0) == "indices.idx_market"
        assert shell.complete("SEL", 0) == "select"
        assert [shell.complete(".d", at) for at in range(2)] == [".describe", None]


def test_the_shell_at_a_terminal_keeps_its_history(
    tiny_config: Config, make_release: MakeRelease, tmp_path: Path
) -> None:
    pytest.importorskip("readline", reason="this Python was built without readline")
    make_release()
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "sql", "--config", str(tiny_config.path)],
        cwd=PROJECT, env={**environment(), "XDG_STATE_HOME": str(tmp_path), "TERM": "dumb"},
        stdin=follower, stdout=follower, stderr=follower,
    )  # fmt: skip
    os.close(follower)
    seen = _read_until(leader, "citytrade> ")
    assert "SIMULATED release" in seen
    os.write(leader, b"select 40 + 2 as answer;\n")
    assert "42" in _read_until(leader, "citytrade> ")
    os.write(leader, b"\x04")
    process.wait(timeout=300)
    os.close(leader)
    history = tmp_path / "citytrade" / "sql_history"
    assert history.read_text(encoding="utf-8").splitlines()[-1] == "select 40 + 2 as answer;"
    assert history.stat().st_mode & 0o077 == 0


def _read_until(leader: int, end: str) -> str:
    seen = ""
    while not seen.endswith(end):
        seen += os.read(leader, 4096).decode("utf-8", errors="replace")
    return seen


@pytest.mark.parametrize("word", ["exit", "quit", "EXIT;", "quit ;", "\\q", ".quit", ".exit"])
def test_people_leave_as_they_are_used_to(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    make_release()
    assert is_command(word)
    with Door(release_folder(tiny_config), Limits()) as door:
        shell = Shell(door, "csv", 10)
        assert not shell.obey(word)
        assert shell.obey("\\d city_year")
        assert shell.obey("\\dt")
        assert shell.obey("\\d")
    out = capsys.readouterr().out
    assert 'export_value_usd,"DECIMAL(18,2)"' in out
    assert "indices,idx_market" in out
    assert 'city_year,"year, city_code",5,2003,2005' in out


@pytest.mark.parametrize("line", ["select 1", "exit_code", "quit from city_year", ""])
def test_what_is_a_statement_is_no_command(line: str) -> None:
    assert not is_command(line)
