"""A refresh of the small simulated world, end to end, and the steps between."""

from __future__ import annotations

import errno
import json
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from flows.refresh import inputs, reading
from flows.refresh.reading import Reader
from tests.conftest import PATIENCE_SECONDS, PROJECT, citytrade, environment, write_config
from warehouse import connect, describe, panel, panels
from warehouse.errors import ReleaseError, SourceError
from warehouse.releases.publish import DATABASE, Manifest, current_release, read_manifest
from warehouse.settings.config import Config, load_config
from warehouse.sources import SOURCES


def rows(config: Config, query: str) -> list[tuple[object, ...]]:
    with connect(config) as connection:
        return connection.execute(query).fetchall()


def test_the_release_says_what_it_is_made_from(small_release: Config) -> None:
    release = current_release(small_release.home)
    assert release is not None
    manifest = read_manifest(small_release.home, release)
    assert manifest.is_simulated
    assert release.endswith(manifest.input_fingerprint[:6])
    assert {source["source"]: source["status"] for source in manifest.sources} == dict.fromkeys(
        SOURCES, "loaded"
    )
    assert rows(small_release, "select release, is_simulated, is_this from meta.releases") == [
        (release, True, True)
    ]


def test_rows_read_are_accepted_or_set_aside(small_release: Config) -> None:
    assert (
        rows(
            small_release,
            "select source from meta.sources where read_n <> accepted_n + set_aside_n",
        )
        == []
    )
    assert (
        rows(
            small_release, "select source from meta.loads where read_n <> accepted_n + set_aside_n"
        )
        == []
    )
    assert rows(
        small_release,
        "select read_n, files_n, is_simulated from meta.sources where source = 'customs'",
    ) == [(20_000, 27, True)]
    aside = rows(
        small_release,
        "select (select sum(set_aside_n) from meta.loads), "
        "(select sum(rows_n) from set_aside_counts), (select count(*) from set_aside)",
    )[0]
    assert len(set(aside)) == 1


def test_every_panel_is_listed_with_its_grain_and_has_no_unknown_column(
    small_release: Config,
) -> None:
    listed = panels(small_release).set_index("panel")
    assert listed.loc["city_year", "grain"] == "city_code, year"
    assert (listed["rows"] > 0).all()
    assert listed["description"].str.startswith("One row a ").all()
    for name in listed.index:
        columns = describe(name, small_release)
        assert columns.loc[columns["unit"].isna(), "column_name"].tolist() == [], name


def test_the_panel_that_everybody_reads(small_release: Config) -> None:
    frame = panel(
        "city_year",
        years=(2003, 2011),
        columns=["export_value_usd", "hs6_n", "destination_n", "gdp_cny_2000"],
        config=small_release,
    )
    assert list(frame.columns[:2]) == ["city_code", "year"]
    assert not frame.duplicated(["city_code", "year"]).any()
    assert (frame["year"].min(), frame["year"].max()) == (2003, 2011)
    assert frame.attrs["simulated"] is True
    assert frame.attrs["columns"]["export_value_usd"]["unit"] == "USD"


def test_checks_are_kept_and_nothing_critical_failed(small_release: Config) -> None:
    stages = dict(rows(small_release, "select stage, count(*) from meta.checks group by all"))
    assert set(stages) == {"delivery", "model", "panel"}
    assert (
        rows(
            small_release,
            "select * from meta.checks where is_error or (severity = 'critical' and not success)",
        )
        == []
    )


def test_nothing_of_the_build_is_left(small_release: Config) -> None:
    assert (
        rows(
            small_release,
            "select 1 from information_schema.schemata where catalog_name = "
            "current_database() and schema_name = 'staging'",
        )
        == []
    )
    assert [file.name for file in small_release.builds.iterdir()] == [
        current_release(small_release.home)
    ]


def test_a_published_file_needs_no_lake(small_release: Config) -> None:
    with connect(small_release) as connection:
        views = connection.execute(
            "select schema_name || '.' || view_name from duckdb_views() where not internal"
        ).fetchall()
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where not internal"
        ).fetchall()
        for (name,) in views + tables:
            connection.execute(f"select * from {name} limit 1").fetchall()


def test_unchanged_input_is_done_in_seconds_without_prefect(small_release: Config) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = citytrade("refresh", "--config", str(small_release.path))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of the processor's time: the clock says more of what else the machine does.
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        f"Nothing changed since SIMULATED release {current_release(small_release.home)} ("
    )
    assert len(done.stdout.splitlines()) == 1
    assert seconds < 10


def test_doctor_is_content(small_release: Config) -> None:
    done = citytrade("doctor", "--config", str(small_release.path))
    assert f"(SIMULATED), {len(panels(small_release))} panels" in done.stdout, done.stdout


@pytest.mark.parametrize("change", ["content", "name", "years", "code", "package"])
def test_what_makes_a_release_stale(
    small_release: Config, tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = tmp_path / "world" / "geography"
    world.mkdir(parents=True)
    file = world / "ports.csv"
    file.write_text("a\n", encoding="utf-8")
    config = replace(
        load_config(write_config(tmp_path / "citytrade.toml", tmp_path / "world", simulate=False)),
        home=small_release.home,
    )
    config = replace(config, sources={"geography": config.sources["geography"]})
    before = inputs.find_inputs(config)
    manifest = Manifest(
        "r", None, "", "", False, before.fingerprint, before.code, "s", dict(before.packages)
    )
    assert inputs.is_unchanged(config, inputs.find_inputs(config), manifest)
    if change == "content":
        file.write_text("b\n", encoding="utf-8")
    elif change == "name":
        file.rename(world / "harbours.csv")
    elif change == "years":
        config = replace(config, last_year=2020)
    elif change == "code":
        monkeypatch.setattr(inputs, "CODE_FOLDERS", ("warehouse",))
    else:
        monkeypatch.setattr(inputs, "PACKAGES", (*inputs.PACKAGES, "pytest"))
    assert not inputs.is_unchanged(config, inputs.find_inputs(config), manifest)


def test_a_copied_home_is_not_stale(tmp_path: Path) -> None:
    prints = set()
    for name in ("here", "there"):
        (tmp_path / name / "world" / "prices").mkdir(parents=True)
        (tmp_path / name / "world" / "prices" / "rates.csv").write_text("x\n", encoding="utf-8")
        config = load_config(
            write_config(
                tmp_path / name / "citytrade.toml", tmp_path / name / "world", simulate=False
            )
        )
        prints.add(
            inputs.find_inputs(
                replace(config, sources={"prices": config.sources["prices"]})
            ).fingerprint
        )
    assert len(prints) == 1


def broken(*_: object) -> None:
    raise KeyError("年份")


def test_a_reader_that_breaks_names_the_file_and_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("x", encoding="utf-8")
    monkeypatch.setattr(reading, "load_file", broken)
    with pytest.raises(
        SourceError, match=r"rates.csv: the reader broke \(KeyError: '年份' in .*\)"
    ):
        reading.read_one("prices", file, tmp_path / "lake", {})


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.EIO, OSError, "no luck"),
        (errno.EACCES, SourceError, "no luck"),
        (errno.ENOSPC, ReleaseError, "no space left on device while rates.csv was read"),
    ],
)
def test_passing_faults_are_told_from_lasting_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception], said: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, "no luck", "rates.csv")

    monkeypatch.setattr(reading, "load_file", fail)
    with pytest.raises(kind, match=said):
        reading.read_one("prices", tmp_path / "rates.csv", tmp_path, {})


def test_big_files_are_read_in_their_own_processes_and_give_the_same(
    small_release: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sorted((small_release.home.parent / "world" / "divisions").glob("*.json"))[:3]
    told: list[str] = []
    with Reader(tmp_path / "here", told.append) as reader:
        here = reader.read("divisions", files, {})
    monkeypatch.setattr(reading, "BIG_BYTES", 1)
    with Reader(tmp_path / "apart", told.append) as reader:
        apart = reader.read("divisions", files, {})
        again = reader.read("divisions", files, {})
    assert here == apart == again
    assert told[-1].startswith("  divisions: 3 files, 3 of them already in the lake; ")


RETRY = """
import errno, sys
from pathlib import Path
from flows.processes import prefect_server
from flows.refresh import reading
from warehouse.settings.config import load_config
from warehouse.sources.reading.loading import load_file

config = load_config(sys.argv[1])
prefect_server.quiet(config.home)
tries = []
def flaky(*arguments):
    tries.append(1)
    if len(tries) < 3:
        raise OSError(errno.EIO, "the share is away", "rates.csv")
    return load_file(*arguments)
reading.load_file = flaky

with prefect_server.server(config.home) as server:
    from prefect import flow
    from flows.refresh import flow as refresh
    from flows.refresh.inputs import find_inputs
    refresh.read_source = refresh.read_source.with_options(retry_delay_seconds=0)
    server.wait()
    with refresh.at(server):
        reading = flow(validate_parameters=False)
        inputs = find_inputs(config)
        outcomes = reading(lambda: refresh.read_sources(config, inputs, None, lambda text: None))()
print(len(tries), [outcome.status for outcome in outcomes if outcome.source == "prices"])
"""


def test_a_passing_fault_is_tried_again(small_release: Config, tmp_path: Path) -> None:
    world = small_release.home.parent / "world"
    file = tmp_path / "citytrade.toml"
    file.write_text(
        '[warehouse]\nhome = "home"\n[sources.prices]\nfiles ='
        f' ["{world}/prices/*exchange_rates*"]\n',
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-c", RETRY, str(file)],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.stdout.split("\n")[0] == "3 ['loaded']", done.stderr


def test_readers_say_what_became_of_each_column(small_release: Config) -> None:
    """Of some sources at least one column is read, and none is passed over without a word;
    divisions and reports have no columns.
    """
    told = rows(
        small_release,
        "select source from meta.columns group by source having count(indicator) > 0 order by "
        "source",
    )
    assert {
        "census",
        "customs",
        "firms",
        "innovation",
        "marketisation",
        "postcodes",
        "risk",
        "world_trade",
    } <= {source for (source,) in told}
    assert (
        rows(small_release, "select * from meta.columns where indicator is null and reason = ''")
        == []
    )


def test_the_manifest_is_plain_json(small_release: Config) -> None:
    release = current_release(small_release.home)
    text = (small_release.builds / str(release) / "release.json").read_text(encoding="utf-8")
    assert json.loads(text)["release"] == release
    assert str(small_release.home) not in text


def test_the_plain_file_opens_with_any_client(small_release: Config) -> None:
    with duckdb.connect(
        str(small_release.current / DATABASE),
        read_only=True,
        config={"enable_external_access": "false"},
    ) as connection:
        assert connection.execute("select count(*) > 0 from city_year").fetchone() == (True,)
