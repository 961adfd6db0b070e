"""The release of the real files, built once a test run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.conftest import PROJECT, environment, shared, write_shared
from tests.real_data.cells import CONFIG
from warehouse import connect
from warehouse.settings.config import Config, load_config

HOME = 'home = "../../data/real"'


@pytest.fixture(scope="session")
def real_config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A release of all real files by citytrade.toml beside this module, in a home of its own.

    CITYTRADE_REAL_HOME names a folder to keep it in from one test run to the next: a refresh there
    takes seconds where nothing changed.
    """
    if "CITYTRADE_REAL_DATA" not in os.environ:
        pytest.skip("CITYTRADE_REAL_DATA names no folder of real files")
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = Path(os.environ.get("CITYTRADE_REAL_HOME", base / "real_release")).resolve()
    text = CONFIG.read_text(encoding="utf-8")
    assert HOME in text
    with shared(folder):
        file = folder / "citytrade.toml"
        write_shared(file, text.replace(HOME, 'home = "home"').replace('"../../', f'"{PROJECT}/'))
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", "refresh", "--config", str(file)],
            cwd=PROJECT,
            env={**environment(), "CITYTRADE_REAL_DATA": os.environ["CITYTRADE_REAL_DATA"]},
            capture_output=True,
            text=True,
            timeout=1800,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "last.log").write_text(done.stdout, encoding="utf-8")
    assert "SIMULATED" not in done.stdout
    return load_config(file)


@pytest.fixture(scope="session")
def real(real_config: Config) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to that release."""
    with connect(real_config.path) as connection:
        yield connection
