"""dbt by hand, as a developer runs it: every model builds from the active set, and every unit test
of a model passes.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from flows.processes import supervised
from flows.refresh.dbt import PROJECT
from tests.conftest import environment
from warehouse.settings.config import Config


def test_models_build_by_hand_and_their_unit_tests_pass(
    small_release: Config, tmp_path: Path
) -> None:
    folders = [
        "--project-dir",
        str(PROJECT),
        "--profiles-dir",
        str(PROJECT),
        "--target-path",
        str(tmp_path),
        "--log-path",
        str(tmp_path),
    ]
    command = supervised.command(
        "dbt.cli.main:cli",
        "build",
        "--exclude-resource-type",
        "test",
        "--no-use-colors",
        "--log-level-file",
        "none",
        *folders,
    )
    variables = {
        "CITYTRADE_LAKE": str(small_release.lake / "active"),
        "CITYTRADE_DB": str(tmp_path / "by_hand.duckdb"),
        "OPENBLAS_NUM_THREADS": "1",
    }
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**environment(), **variables, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    results = json.loads((tmp_path / "run_results.json").read_text(encoding="utf-8"))["results"]
    unit_tests = [
        result["unique_id"].split(".")[-1]
        for result in results
        if result["unique_id"].startswith("unit_test.")
    ]
    written = sum(
        file.read_text(encoding="utf-8").count("\n  - name: ")
        for file in (PROJECT / "models").rglob("*_unit_tests.yml")
    )
    assert len(unit_tests) == len(set(unit_tests)) == written
    # Exposures name who uses a panel: there is nothing to build of them.
    ran = [result for result in results if not result["unique_id"].startswith("exposure.")]
    assert {result["status"] for result in ran} == {"success", "pass"}
