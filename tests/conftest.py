"""What several tests share: a small simulated release, built once a test run, and tiny releases
made by hand.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb
import pytest

from warehouse.releases.meta import write_meta, write_set_aside
from warehouse.releases.publish import (
    DATABASE,
    Manifest,
    begin_release,
    current_release,
    publish,
    release_id,
)
from warehouse.settings.config import Config, load_config
from warehouse.sources import SOURCES

PROJECT = Path(__file__).resolve().parent.parent
SEED = 7
PATIENCE_SECONDS = 1800  # for what takes a minute on a machine that has nothing else to do


def citytrade(
    *arguments: str, timeout: float = PATIENCE_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PREFECT_", "CITYTRADE_"))
    }
    return {**kept, "PYTHONPATH": str(PROJECT)}


def write_config(file: Path, world: Path, simulate: bool = True) -> Path:
    """A configuration beside its home, over the small simulated world in `world`."""
    parts = ['[warehouse]\nhome = "home"\nfirst_year = 2000\nlast_year = 2021\n']
    if simulate:
        parts.append(f'[simulate]\ndirectory = "{world}"\nscale = "small"\nseed = {SEED}\n')
    parts += [f'[sources.{name}]\nfiles = ["{world}/{name}/*"]\n' for name in SOURCES]
    write_shared(file, "\n".join(parts))
    return file


def unseal(folder: Path) -> None:
    """Give a sealed folder and its files their write bits back, for a test that changes them."""
    for place, _, files in os.walk(folder):
        Path(place).chmod(0o755)
        for name in files:
            (Path(place) / name).chmod(0o644)


@contextmanager
def shared(folder: Path) -> Iterator[None]:
    """Held by one process of the test run at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "test.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_shared(file: Path, text: str) -> None:
    """Write a file that other processes of the test run may be reading: whole, and only once."""
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        unfinished = file.with_name(f"{file.name}.{os.getpid()}")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(file)


@pytest.fixture(scope="session")
def small_release(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A published release of the small simulated world (seed 7), for reading only; its world lies
    beside its home.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "small_release"
    with shared(folder):
        config = load_config(write_config(folder / "citytrade.toml", folder / "world"))
        if current_release(config.home) is None:
            done = citytrade("refresh", "--config", str(config.path))
            assert done.returncode == 0, done.stdout + done.stderr
    return config


def write_tiny_config(folder: Path) -> Path:
    """A configuration without sources."""
    file = folder / "citytrade.toml"
    write_shared(file, '[warehouse]\nhome = "home"\nfirst_year = 2003\nlast_year = 2011\n')
    return file


@pytest.fixture
def tiny_config(tmp_path: Path) -> Config:
    """A configuration without sources, and nothing published."""
    return load_config(write_tiny_config(tmp_path))


MakeRelease = Callable[..., str]


@pytest.fixture
def make_release(tiny_config: Config) -> MakeRelease:
    """Publish a hand-made release in the tiny configuration's home; returns its name."""
    return partial(publish_tiny, tiny_config)


def publish_tiny(
    config: Config,
    moment: datetime | None = None,
    marker: int = 1,
    is_simulated: bool = True,
    kept: int = 5,
    change: str = "",
) -> str:
    """Publish a hand-made release with a panel `city_year` of two cities and three years, changed
    by SQL if given; returns its name.
    """
    name = release_id(moment or datetime.now(UTC), f"{marker:06x}")
    manifest = Manifest(
        name,
        current_release(config.home),
        "2026-11-20T00:00:00",
        "citytrade.toml",
        is_simulated,
        f"{marker:064x}",
        "c",
        "s",
        {"duckdb": duckdb.__version__},
    )
    build = begin_release(config.home, name)
    with duckdb.connect(str(build / DATABASE)) as connection:
        connection.execute(
            "create table city_year as select * from (values (2003::smallint, '3301', '杭州市',"
            " 10.25::decimal(18, 2), 5, true), (2003, '0101', '=1+1', null, null, null), (2004,"
            " '3301', '杭州市', 12.5, 7, false), (2004, '0101', '邯郸市', 3.0, 2, true), (2005,"
            " '3301', '杭州市', 1.0, 9, true)) t(year, city_code, city_name_zh,"
            " export_value_usd, hs6_n, is_open)"
        )
        if change:
            connection.execute(change)
        connection.execute(
            "create schema indices; create table indices.idx_market as select '3301' as"
            " city_code, 0.5 as market_index"
        )
        connection.execute(f"create table seeds_marker as select {marker} as marker")
        entry = {
            "column_name": "export_value_usd",
            "unit": "USD",
            "label_en": "Exports",
            "label_zh": "出口额",
            "definition": "All.",
            "definition_zh": "全部。",
            "source": "customs",
        }
        write_set_aside(connection, [])
        write_meta(
            connection,
            {
                "releases": [{**asdict(manifest), "is_this": True}],
                "dictionary": [entry],
                "panels": [
                    {
                        "panel": "city_year",
                        "grain": "year, city_code",
                        "description": "One row a city and year.",
                        "rows_n": 5,
                        "first_year": 2003,
                        "last_year": 2005,
                    }
                ],
            },
        )
    publish(config.home, build, manifest, kept)
    return name
