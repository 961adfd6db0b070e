"""What goes wrong around publication: readers, kills, failed checks, broken files, two refreshes at
once.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.processes import lock
from tests.conftest import PROJECT, citytrade, environment, write_config
from warehouse import connect
from warehouse.dictionary.entries import COLUMNS, read_dictionary
from warehouse.releases.publish import current_release, release_names
from warehouse.settings.config import Config, load_config


@pytest.fixture
def published(small_release: Config, tmp_path: Path) -> Config:
    """A copy of the small release with its world, to break."""
    for name in ("world", "home"):
        shutil.copytree(small_release.home.parent / name, tmp_path / name, symlinks=True)
    return load_config(
        write_config(tmp_path / "citytrade.toml", tmp_path / "world", simulate=False)
    )


@contextmanager
def refreshing(config: Config) -> Iterator[subprocess.Popen[str]]:
    """A refresh under way in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "refresh",
        "--force",
        "--config",
        str(config.path),
    ]
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_line(process: subprocess.Popen[str], start: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return
    pytest.fail(f"the refresh ended without {start!r}")


def supervised_by(pid: int) -> list[str]:
    """Command lines of the processes that a refresh with this id has started."""
    lines = subprocess.run(
        ["ps", "-eo", "args"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [line for line in lines if f"flows.processes.supervised {pid} " in line]


def test_readers_see_whole_releases_throughout_a_refresh(published: Config) -> None:
    old = current_release(published.home)
    seen: dict[str, int] = {}
    with connect(published) as early, refreshing(published) as process:
        while process.poll() is None:
            with connect(published) as connection:
                row = connection.execute(
                    "select release, (select count(*) from city_year), "
                    "(select count(*) from meta.panels) from meta.releases where is_this"
                ).fetchone()
            assert row is not None
            assert row[1:] == (1320, 11)
            seen[row[0]] = seen.get(row[0], 0) + 1
            time.sleep(0.02)
        assert process.stdout is not None
        assert process.returncode == 0, process.stdout.read()
        new = current_release(published.home)
        assert early.execute("select release from meta.releases where is_this").fetchone() == (old,)
    assert new != old
    assert seen.pop(str(old)) > 20
    assert set(seen) <= {str(new)}
    with connect(published) as connection:
        known = connection.execute(
            "select release, previous, is_this from meta.releases order by 1"
        ).fetchall()
    assert known == [(old, None, False), (new, old, True)]


def test_a_kill_during_the_build_leaves_the_release_and_no_process(published: Config) -> None:
    old = current_release(published.home)
    with refreshing(published) as process:
        wait_for_line(process, "Building models")
        second = citytrade("refresh", "--config", str(published.path))
        assert second.returncode == 1
        assert f"already running (process {process.pid} on " in second.stderr
        deadline = time.monotonic() + 60
        while (
            not list(published.builds.glob(".*.tmp/warehouse.duckdb"))
            and time.monotonic() < deadline
        ):
            time.sleep(0.05)
        assert len(supervised_by(process.pid)) == 2  # Prefect's server and dbt
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert release_names(published.home) == [old]
    with connect(published) as connection:
        assert connection.execute(
            "select release, (select count(*) from city_year) from meta.releases where is_this"
        ).fetchone() == (old, 1320)
    assert lock.state(published.home) is None
    deadline = time.monotonic() + 10
    while supervised_by(process.pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert supervised_by(process.pid) == []


def test_a_critical_panel_failure_keeps_the_release_and_names_rows(
    published: Config, tmp_path: Path
) -> None:
    old = current_release(published.home)
    bound = read_dictionary()["export_value_usd"]
    line = next(
        text
        for text in COLUMNS.read_text(encoding="utf-8").splitlines()
        if text.startswith("export_value_usd,")
    )
    strict = tmp_path / "columns.csv"
    raised = line.replace(f",{bound.source},{bound.minimum:g},", f",{bound.source},1e300,")
    changed = raised.replace(",measure,", ",index,", 1)  # of which a bound is a promise of models
    assert len({line, raised, changed}) == 3
    strict.write_text(COLUMNS.read_text(encoding="utf-8").replace(line, changed), encoding="utf-8")
    patch = (
        "import sys, pathlib, warehouse.dictionary.entries as d; d.COLUMNS = "
        "pathlib.Path(sys.argv[1])"
    )
    code = f"{patch}; from flows.cli import main; sys.exit(main(sys.argv[2:]))"
    command = [
        sys.executable,
        "-c",
        code,
        str(strict),
        "refresh",
        "--force",
        "--config",
        str(published.path),
    ]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment(), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1, done.stdout
    assert "city_year.export_value_usd: between 1e+300 and" in done.stderr
    assert 'failing rows: {"city_code": "' in done.stderr
    assert "Traceback" not in done.stderr
    assert release_names(published.home) == [old]
    assert current_release(published.home) == old


def test_broken_files_stop_their_sources_only(published: Config) -> None:
    world = published.path.parent / "world"
    rates = next((world / "prices").glob("*exchange_rates*"))
    rates.write_bytes(rates.read_bytes()[:1000])
    shutil.rmtree(world / "policies")
    with connect(published) as connection:
        before = connection.execute(
            "select count(*), sum(cny_per_usd) from city_year where year = 2010"
        ).fetchone()

    done = citytrade("refresh", "--config", str(published.path))
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"prices FAILED: {rates.name}: " in done.stdout
    assert "(its former 3 files stay in use)" in done.stdout
    assert "SIMULATED WORLD" in done.stdout
    with connect(published) as connection:
        statuses = dict(connection.execute("select source, status from meta.sources").fetchall())
        assert {name: status for name, status in statuses.items() if status != "loaded"} == {
            "prices": "failed",
            "policies": "failed",
        }
        assert (
            connection.execute(
                "select count(*), sum(cny_per_usd) from city_year where year = 2010"
            ).fetchone()
            == before
        )
        message = connection.execute(
            "select message from meta.sources where source = 'policies'"
        ).fetchone()
    assert message is not None
    assert "no file matches" in message[0]

    again = citytrade("refresh", "--config", str(published.path))
    assert again.returncode == 3
    assert "Nothing changed" in again.stdout
    assert "prices is still failed: " in again.stdout
