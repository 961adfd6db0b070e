"""The page of `make bench`: parts run in small and find the same as their peers, and what was
measured is printed, kept and drawn. No time is judged.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks import page, parts
from tests.benchmarks.parts import Asked, Cost, Table
from warehouse import simulate


def test_exports_of_each_format_have_a_peer(tmp_path: Path) -> None:
    tables = parts.exports(Asked((), 200, 1, tmp_path))
    assert [table.title for table in tables] == [f"200 x 50 to {form}" for form in parts.FORMS]
    for table in tables:
        assert next(iter(table.costs)) == table.base == "ours" and len(table.costs) == 2
        assert all(cost.seconds > 0 for cost in table.costs.values())


def test_a_part_is_printed_kept_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    costs = {"ours": Cost(2.0, 1.0, 30.0), "peer": Cost(1.0, 3.0, 40.0), "by the clock": Cost(4.0)}
    table = Table("Work", "ours", costs, ("a note",), {"other": "not installed"})
    monkeypatch.setitem(parts.PARTS, "exports", lambda asked: [table])
    assert page.main(["exports", "--folder", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "| peer | 1.00 | 3.00 | 40 | 3.00 |" in printed
    assert "| by the clock | 4.00 |  |  | 2.00 |" in printed
    assert "a note." in printed and "other is absent: not installed." in printed
    kept = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))
    assert kept["tables"][0]["costs"]["peer"]["cpu_seconds"] == 3.0
    assert "<svg" in (tmp_path / "page.svg").read_text(encoding="utf-8")


def test_refreshes_change_a_file_a_kind_and_restore_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = tmp_path / "refreshes" / "world"
    files = [world / source / "a.csv" for source in parts.CHANGED]
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_text("head\nfirst\nlast\n", encoding="utf-8")
    seen: list[int] = []

    def command(*arguments: str) -> Cost:
        seen.append(sum("last" not in file.read_text(encoding="utf-8") for file in files))
        return Cost(1.0, 1.0, 1.0)

    monkeypatch.setattr(simulate, "world_is_current", lambda *_: True)
    monkeypatch.setattr(parts, "_command", command)
    checked = {"seconds": 1.0, "processor_seconds": 1.0, "grew_mb": 1.0}
    monkeypatch.setattr(parts, "_piece", lambda *_: checked)
    (table,) = parts.refreshes(Asked((), 0, 1, tmp_path))
    assert seen == [0, 0, 1, 2, 3] and len(table.costs) == 6 and table.base in table.costs
    assert all("last" in file.read_text(encoding="utf-8") for file in files)


def test_contenders_that_find_other_numbers_stop_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"ours": {"coefficients": [1.0]}, "peer": {"coefficients": [1.001]}}
    monkeypatch.setattr(parts, "_piece", lambda name, **_: found[name])
    contenders = {"ours": ("ours",), "peer": ("peer",)}
    with pytest.raises(SystemExit, match="ours, peer found"):
        parts.interleaved(contenders, 1)
    found["peer"] = {"coefficients": [1.0]}
    assert len(parts.interleaved(contenders, 2)["peer"]) == 2
