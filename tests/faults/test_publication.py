"""What goes wrong around publication: readers, kills, failed checks, broken files, two refreshes at
once.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from flows.processes import lock
from tests.conftest import PATIENCE_SECONDS, PROJECT, citytrade, environment, write_config
from tests.faults.kills import kill_one, look_for_remains, published_tables
from tests.faults.refreshing import refreshing
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


def test_who_refreshes_beside_a_refresh_is_told_who_holds_the_lock(published: Config) -> None:
    with refreshing(published, "--full") as running:
        assert running.wait_until(lambda: lock.state(published.home) is not None)
        second = citytrade("refresh", "--config", str(published.path))
        assert second.returncode == 1
        assert f"already running (process {running.process.pid} on " in second.stderr


def test_kills_and_readers_find_whole_releases_and_the_next_refresh_leaves_nothing_behind(
    published: Config,
) -> None:
    """Killed in the middle of dbt, then refreshed while readers ask, then killed while readers are
    given the new release; `tests.faults.kills` does it at random.
    """
    tables = published_tables(published)
    assert kill_one(published, 1, "models", 3.0).place == "Building models"
    _refresh_while_readers_ask(published)
    assert published_tables(published) == tables
    look_for_remains(published)
    kill = kill_one(published, 2, "publication", 0.1)
    assert kill.place.startswith(("publication", "pruning")), kill
    done = citytrade("refresh", "--config", str(published.path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing changed since SIMULATED release " in done.stdout
    assert published_tables(published) == tables
    look_for_remains(published)


def _refresh_while_readers_ask(config: Config) -> None:
    """A refresh; whoever asks meanwhile gets all of the former release or all of the new one."""
    old = current_release(config.home)
    seen: Counter[str] = Counter()
    with connect(config) as early, refreshing(config, "--full") as running:
        while not running.is_over:
            with connect(config) as connection:
                row = connection.execute(
                    "select release, (select count(*) from city_year), "
                    "(select count(*) from meta.panels) from meta.releases where is_this"
                ).fetchone()
            assert row is not None
            assert row[1:] == (1320, 12)
            seen[row[0]] += 1
            time.sleep(0.1)
        assert running.finish() == 0, running.said
        new = current_release(config.home)
        assert early.execute("select release from meta.releases where is_this").fetchone() == (old,)
    assert new != old
    assert seen.pop(str(old)) > 20
    assert set(seen) <= {str(new)}
    with connect(config) as connection:
        known = connection.execute(
            "select release, previous, is_this from meta.releases order by 1"
        ).fetchall()
    assert known == [(old, None, False), (new, old, True)]


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
    command = [sys.executable, "-c", code, str(strict), "refresh", "--full"]
    command += ["--config", str(published.path)]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 1, done.stdout
    assert "city_year.export_value_usd: between 1e+300 and" in done.stderr
    assert 'failing rows: {"city_code": "' in done.stderr
    assert "Traceback" not in done.stderr
    assert release_names(published.home) == [old]
    assert current_release(published.home) == old


def test_broken_files_stop_their_sources_only_and_are_told_once(published: Config) -> None:
    world, alerts = published.path.parent / "world", published.path.parent / "alerts.jsonl"
    code = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + chr(10))"
    with published.path.open("a", encoding="utf-8") as file:
        file.write(
            f"\n[alerts]\ncommand = {json.dumps([sys.executable, '-c', code, str(alerts)])}\n"
        )
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
    (told,) = alerts.read_text(encoding="utf-8").splitlines()
    assert {line.split(": ")[0] for line in json.loads(told)["troubles"]} == {
        "policies failed",
        "prices failed",
    }
