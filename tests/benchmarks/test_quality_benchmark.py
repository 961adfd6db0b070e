"""The quality benchmark itself, on few records: its steps run and its table is printed. No time is
judged.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.customs_panel import PROJECT


@pytest.mark.slow
def test_every_step_runs(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.quality",
        "--records",
        "20000",
        "--folder",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| dbt run, records to cells | " in done.stdout
    assert "| quality of the cells | " in done.stdout
    assert "with a quality; coefficient of home market" in done.stdout
