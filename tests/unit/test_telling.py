"""What people and machines are told while a refresh runs: progress and the log."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.telling import log
from flows.telling.progress import Pace, Teller, advance, telling
from tests.conftest import PROJECT, environment
from warehouse.settings.config import Config

WORK = """
import time
from flows.telling.progress import advance, telling
with telling() as say:
    say("Building models")
    for done in range(30):
        advance(say, done, 30)
        time.sleep(0.1)
    say("  the end")
"""


def test_lines_are_the_same_everywhere_and_signs_of_life_go_elsewhere() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORK],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout == "Building models\n  the end\n"
    assert re.match(r"  … Building models, \d+ of 30, \d s so far\n", done.stderr), done.stderr


def test_a_terminal_gets_a_bar_with_its_share() -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", WORK],
        cwd=PROJECT,
        env={**environment(), "TERM": "xterm", "COLUMNS": "100"},
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    seen = ""
    while True:
        try:
            seen += os.read(leader, 4096).decode("utf-8", errors="replace")
        except OSError:
            break  # the other end is closed
    process.wait(timeout=300)
    os.close(leader)
    assert "Building models" in seen
    assert re.search(r"Building models \d+ of 30", seen)
    assert re.search(r"(3[5-9]|[4-8]\d)%", seen)


def test_silence_is_broken_within_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    with telling():
        time.sleep(3)
    assert capsys.readouterr().err.startswith("  … Looking at the raw files, ")


def test_a_share_grows_within_its_phase(capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller()
    teller("Building models")
    advance(teller, 189, 378)
    assert (round(teller.share, 3), teller.part) == (0.625, "189 of 378")
    advance(teller, 500, 378)
    assert teller.share == 0.9
    teller("Checking panels")
    assert (teller.share, teller.part) == (0.9, "")
    advance(print, 1, 2)  # who only prints lines is not told
    assert capsys.readouterr().out == "Building models\nChecking panels\n"


def test_a_long_read_tells_its_pace_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now, pace, teller = [100.0], Pace(), Teller()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for _ in range(4):
        pace.expect(50_000_000)
    now[0] += 40
    assert pace.told() == ""
    pace.read(50_000_000, 400_000)
    teller.advance(1, 163, pace.told())
    assert teller.part == "1 of 163, 10,000 rows a second, about 2 min of reading left"
    pace.read(50_000_000, 600_000)
    assert pace.told() == "25,000 rows a second, about 40 s of reading left"
    for _ in range(2):
        pace.read(50_000_000, 0)  # refused
    assert pace.told() == ""


def test_an_event_is_a_line_of_json_with_its_time(tmp_path: Path) -> None:
    with log.log_to_file(tmp_path):
        log.event("source read", source="customs", accepted=7, file="杭州\n.csv")
        log.event("source failed", log.logging.ERROR, source="prices")
    log.event("after", source="nobody listens")
    lines = (tmp_path / "logs" / "citytrade.log").read_text(encoding="utf-8").splitlines()
    first, second = (json.loads(line) for line in lines)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", first.pop("time"))
    assert first == {
        "level": "info",
        "event": "source read",
        "source": "customs",
        "accepted": 7,
        "file": "杭州\n.csv",
    }
    assert second["level"] == "error"


def test_the_log_is_kept_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "BYTES", 1000)
    with log.log_to_file(tmp_path):
        for at in range(200):
            log.event("tick", at=at)
    files = sorted((tmp_path / "logs").iterdir())
    assert len(files) == 1 + log.KEPT
    assert all(file.stat().st_size <= 1000 for file in files)


def test_a_journal_reads_the_priority() -> None:
    code = (
        "from flows.telling import log; log.log_to_journal(); log.event('a', log.logging.ERROR, "
        "source='x'); log.event('b')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = done.stderr.splitlines()
    assert [line[:3] for line in lines] == ["<3>", "<6>"]
    assert json.loads(lines[0][3:])["source"] == "x"


ON_A_FULL_DISK = """
import resource, sys
from dataclasses import replace
from flows.telling.alerts import tell_trouble
from flows.telling.log import event, log_to_file
from warehouse.settings.config import load_config
from warehouse.settings.controls import Alerts

config = replace(load_config(sys.argv[1]), alerts=Alerts(command=("true",)))
config.home.mkdir()
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
with log_to_file(config.home):
    event("refresh started")
    event("refresh failed")
    tell_trouble(config, "refresh", "Trouble.", ["the disk is full"], print)
"""


def test_a_full_disk_keeps_nobody_from_being_told(tiny_config: Config) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ON_A_FULL_DISK, str(tiny_config.path)],
        cwd=PROJECT, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "Alert sent by command."
    assert "alerts.json cannot be written (File too large)" in done.stdout
    assert done.stderr.count("citytrade.log cannot be written (File too large)") == 1
    assert "Traceback" not in done.stderr
