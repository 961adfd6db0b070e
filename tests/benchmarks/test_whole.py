"""The benchmark of whole refreshes in small: its csv hold every record once and are read as a
publisher's, and what it sees, compares and prints is right. No refresh runs here.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.benchmarks import watching, whole, whole_page
from tests.benchmarks.customs_panel import Rows
from tests.benchmarks.watching import Cost, Look, disk_of, guarded, watched
from tests.benchmarks.whole_page import Measured, Refresh, Stage
from warehouse.settings.config import load_config
from warehouse.sources import SOURCES, get_source
from warehouse.sources.reading.loading import load_file

RECORDS = 3_000


def measured(records_n: int, cpu: float) -> Measured:
    stages = {"start": Stage(1.0, 1.0, 50.0), "read": Stage(9.0, cpu - 1.0, 100.0)}
    found = Refresh(2 * cpu, cpu, 100.0, 90.0, "reader", 20.0, 10.0, stages)
    return Measured(records_n, records_n // 100, 5.0, found, replace(found, cpu=cpu / 40))


def test_csv_hold_each_record_once_and_the_last_month_apart(tmp_path: Path) -> None:
    rows = whole.prepare_csv(tmp_path, RECORDS)
    assert sum(rows.values()) == RECORDS and len(rows) == len(whole.YEARS) + 1
    assert not list((tmp_path / "records" / "customs__records").iterdir())
    held = tmp_path / "held" / whole.HELD
    lines = held.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + rows[whole.HELD] and lines[0].startswith("日期,进口或出口,HS编码")
    assert all(line.startswith("2021-12,") for line in lines[1:])
    read = sum(
        load_file(get_source("customs"), file, tmp_path / "lake")[0].accepted_n
        for file in (*(tmp_path / "csv").iterdir(), held)
    )
    assert read == RECORDS
    written = held.stat().st_mtime_ns
    assert whole.prepare_csv(tmp_path, RECORDS) == rows
    assert held.stat().st_mtime_ns == written, "what is current is not written again"


def test_the_configuration_takes_customs_from_csv_and_all_else_from_the_world(
    tmp_path: Path,
) -> None:
    for folder in ("csv", *(f"world/{source}" for source in SOURCES)):
        (tmp_path / folder).mkdir(parents=True)
    config = load_config(
        whole.write_config(tmp_path / "citytrade.toml", tmp_path / "world", "512MB")
    )
    assert config.memory == "512MB" and set(config.sources) == set(SOURCES)
    assert config.home == tmp_path / "home"


def test_an_exponent_is_that_of_the_growth() -> None:
    assert whole_page.exponent({n: 3e-6 * n**1.2 for n in (2, 10, 30, 100)}) == pytest.approx(1.2)
    with pytest.raises(ValueError, match="two sizes"):
        whole_page.exponent({2: 1.0})


def test_what_other_sources_cost_is_no_growth() -> None:
    base = measured(20_000, 100.0)
    sizes = [measured(n, 100.0 + 10 * n / 1e6) for n in (2_000_000, 100_000_000)]
    lines = whole_page.growth(sizes, base)
    assert lines[1] == "CPU s over that a million records, by size: 10.0, 10.0."
    assert lines[2].endswith("0.57 of the whole, 1.00 of what is over that.")
    assert len(whole_page.growth(sizes[:1], base)) == 2, "one size has no exponent"


def test_the_page_has_a_line_a_refresh_and_the_ratio() -> None:
    found = measured(2_000_000, 120.0)
    page = whole_page.page([found], measured(20_000, 100.0))
    assert "| 2,000,000 | all but 20,000 | 240 | 120 | 100 | 90 | 20 | 10 |" in page
    assert "| 2,000,000 | these 20,000 on top | 240 | 3 |" in page
    assert "| 2,000,000 | 1 | 119 | 5 | 1/40.0 | 1/1.0 |" in page
    assert whole_page.measured_of(json.loads(json.dumps(asdict(found)))) == found


def test_stages_share_a_refresh_among_them() -> None:
    looks = [Look(1.0, 0.5, 10, 10, "a"), Look(3.0, 2.0, 70, 40, "b"), Look(5.0, 4.0, 30, 20, "a")]
    cost = Cost(6.0, 5.0, 70, 40, 9, looks)
    begun = [(0.0, "start"), (2.0, "read"), (4.0, "build")]
    found = whole_page.refresh_of(cost, begun, 7)
    assert found.largest == "b" and found.disk_mb == 9e-6
    assert [stage.cpu for stage in found.stages.values()] == [0.5, 1.5, 3.0]
    assert [stage.seconds for stage in found.stages.values()] == [2.0, 2.0, 2.0]
    assert math.isclose(found.stages["read"].memory_mb, 70e-6)
    assert whole.stage_of("Building models\n") == "build" and whole.stage_of("  customs") == ""


def test_what_is_published_otherwise_than_the_truth_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: Rows = {("1100", 2001): (100, 2, 3)}
    monkeypatch.setattr(whole, "published", lambda config: rows)
    whole.refuse_wrong(tmp_path, rows)
    with pytest.raises(whole.WrongError, match="value_cents 100 instead of 101"):
        whole.refuse_wrong(tmp_path, {("1100", 2001): (101, 2, 3)})
    with pytest.raises(whole.WrongError, match="1100, year 2001 is too much"):
        whole.refuse_wrong(tmp_path, {})


def test_processes_and_a_folder_are_watched(tmp_path: Path) -> None:
    work = "import time; held = b'x' * 50_000_000; end = time.time() + 3\nwhile time.time() < end:0"
    (tmp_path / "file").write_bytes(b"x" * 1_000_000)
    (tmp_path / "twin").hardlink_to(tmp_path / "file")
    with watched(tmp_path) as cost:
        subprocess.run([sys.executable, "-c", work], check=True)
    assert cost.memory >= cost.process > 50_000_000 and 0 < cost.cpu < 30
    assert 1_000_000 <= cost.disk == disk_of(tmp_path) < 2_000_000
    assert any("import time" in look.command for look in cost.looks)


@pytest.mark.parametrize("left, is_ended", [(lambda: 0, True), (lambda: 10**12, False)])
def test_a_refresh_ends_before_the_machine_has_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: Callable[[], int], is_ended: bool
) -> None:
    monkeypatch.setattr(watching, "_memory_left", left)
    monkeypatch.setattr(watching, "PATIENCE", 0.1)
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True, text=True
    )
    with guarded(process, tmp_path) as ended:
        start = time.monotonic()
        while process.poll() is None and time.monotonic() < start + (30 if is_ended else 1):
            time.sleep(0.05)
    assert bool(ended) == is_ended
    assert process.wait(timeout=30) == -9, "nobody is left behind"
