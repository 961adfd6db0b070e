"""The benchmark itself: every contender finds the truth in a small world, and a wrong city-year is
named. No time is judged.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import contenders, customs_panel, peers

NAMES = [{"name_zh": name, "city_code": code, "province_code": province,
    "last_year": 9999} for name, code, province in (
    ("杭州", "3301", "33"), ("杭州市", "3301", "33"), ("吉林市", "2202", "22"), ("巢湖市", None,
    "34"),
)]  # fmt: skip
CITIES = [
    {"province_code": "33", "province_name_zh": "浙江省"},
    {"province_code": "22", "province_name_zh": "吉林省"},
]


def test_all_contenders_find_the_truth(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.customs_panel",
        "--records",
        "20000",
        "--runs",
        "1",
        "--folder",
        str(tmp_path),
    ]
    done = subprocess.run(
        command, cwd=customs_panel.PROJECT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    runs = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["records"]["20000"][
        "runs"
    ]
    assert list(runs) == list(contenders.CONTENDERS)
    assert all(len(run) == 1 and run[0]["peak_mb"] > 10 for run in runs.values())
    assert all(f"| {label} | " in done.stdout for label in customs_panel.CONTENDERS.values())


def test_a_wrong_city_year_is_named() -> None:
    truth = {("3301", 2005): (100, 2, 3), ("3301", 2006): (100, 2, 3)}
    right = {("3301", 2005): (100, 2, 3, 7, 0), ("3301", 2006): (100, 2, 3, 7, 0)}
    assert customs_panel.differences("polars", right, truth, "the truth") == []
    wrong = {("3301", 2005): (101, 2, 4, 7, 0), ("3302", 2006): (1, 1, 1, 1, 0)}
    assert customs_panel.differences("polars", wrong, truth, "the truth") == [
        (
            "  polars: city 3301, year 2005: value_cents 101 instead of 100, "
            "destination_n 4 instead of 3 (against the truth)"
        ),
        "  polars: city 3301, year 2006 is missing (against the truth)",
        "  polars: city 3302, year 2006 is too much (against the truth)",
    ]


def test_results_that_differ_end_the_program_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(customs_panel, "prepare", lambda folder, records_n: 1.0)
    monkeypatch.setattr(
        customs_panel,
        "compete",
        lambda folder, runs_n: (
            {},
            ["  pandas: city 3301, year 2005 is missing (against the truth)"],
        ),
    )
    assert customs_panel.main(["--records", "1", "--folder", str(tmp_path)]) == 1
    assert "pandas: city 3301, year 2005 is missing" in capsys.readouterr().err
    assert not (tmp_path / "results.json").exists()


@pytest.mark.parametrize("place", ["杭州市", "浙江杭州市", "浙江省杭州市", "杭州经济技术开发区"])
def test_peers_match_places_as_the_models_do(place: str) -> None:
    assert peers.place_cities([place, "吉林市"], NAMES, CITIES) == {place: "3301", "吉林市": "2202"}


@pytest.mark.parametrize("place", ["浙江", "巢湖市", "不详", ""])
def test_peers_leave_out_places_that_are_no_city_of_the_spine(place: str) -> None:
    assert peers.place_cities([place], NAMES, CITIES) == {}
