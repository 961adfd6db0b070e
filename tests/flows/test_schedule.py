"""A served deployment really fires: a source that fails is told and alerted, and the rest is published."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import PROJECT, environment, write_config
from warehouse import connect
from warehouse.releases.publish import current_release
from warehouse.settings.config import Config, load_config

MINUTES = 6  # the schedule fires at the next full minute; a busy machine then takes a while to publish


@pytest.fixture
def broken(small_release: Config, tmp_path: Path) -> Config:
    """A copy of the small release whose exchange rates were cut off since, with somebody to alert."""
    for name in ("world", "home"):
        shutil.copytree(small_release.home.parent / name, tmp_path / name, symlinks=True)
    file = write_config(tmp_path / "citytrade.toml", tmp_path / "world", simulate=False)
    command = [sys.executable, "-c", "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())", str(tmp_path / "alert.json")]
    file.write_text(f"{file.read_text(encoding='utf-8')}\n[alerts]\ncommand = {json.dumps(command)}\n", encoding="utf-8")
    config = load_config(file)
    rates = next((tmp_path / "world" / "prices").glob("*.xlsx"))
    rates.write_bytes(rates.read_bytes()[:1000])
    return config


def test_a_served_refresh_fires_publishes_the_rest_and_alerts(broken: Config, tmp_path: Path) -> None:
    old = current_release(broken.home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "serve.log"
    command = [sys.executable, "-m", "flows.cli", "serve", "--cron", "* * * * *", "--port", str(port), "--config", str(broken.path)]
    with log.open("w", encoding="utf-8") as sink:
        process = subprocess.Popen(command, cwd=PROJECT, env=environment(), stdout=sink, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + MINUTES * 60
            while not (tmp_path / "alert.json").is_file() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.5)
        finally:
            process.terminate()
            process.wait(timeout=60)
    said = log.read_text(encoding="utf-8")
    assert "Refreshing citytrade.toml at '* * * * *' (UTC)." in said
    assert (tmp_path / "alert.json").is_file(), said
    alert = json.loads((tmp_path / "alert.json").read_text(encoding="utf-8"))
    assert alert["subject"] == "The refresh published without 1 of its sources' new data."
    assert alert["troubles"][0].startswith("prices failed: ")
    assert current_release(broken.home) != old
    with connect(broken) as connection:
        assert connection.execute("select source from meta.sources where status <> 'loaded'").fetchall() == [("prices",)]
