"""Choosing layouts of the simulated world: names, their beginnings, and bytes that depend on the
seed alone.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from warehouse.errors import CitytradeError
from warehouse.simulate import simulate, world_is_current
from warehouse.simulate.layouts import chosen_layouts
from warehouse.simulate.model.whole import whole_economy
from warehouse.simulate.world import streams, write_customs_world
from warehouse.simulate.writers.customs.layouts import LAYOUTS

PROJECT = Path(__file__).resolve().parents[2]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_a_layout_may_be_named_by_its_beginning() -> None:
    assert chosen_layouts({"customs": "csmar"}) == {"customs": "csmar_2000_2016"}
    assert chosen_layouts({"customs": "2006"}) == {"customs": "2006_chinese"}
    assert chosen_layouts({}) == {}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"customs": "2005"},
            r"customs=2005: fits several layouts of customs.*Known: 2000_english",
        ),
        (
            {"customs": "cmsar_2000_2016"},
            r"is no layout of customs; did you mean 'csmar_2000_2016'\?",
        ),
        ({"custums": "csmar"}, r"custums: has no layouts to choose from; did you mean 'customs'\?"),
    ],
)
def test_other_names_are_refused_with_the_nearest(
    tmp_path: Path, asked: dict[str, str], message: str
) -> None:
    with pytest.raises(CitytradeError, match=message):
        simulate(tmp_path / "world", "small", 1, layouts=asked)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_seed_gives_the_same_bytes_in_each_layout(tmp_path: Path, layout: str) -> None:
    truths: list[dict[str, Any]] = [{}, {}]
    for number, truth in enumerate(truths):
        random = streams(3)
        whole = whole_economy("small", random)
        write_customs_world(
            tmp_path / str(number), "small", whole, random, layout, lambda _: None, truth
        )
    assert digests(tmp_path / "0") == digests(tmp_path / "1")
    assert truths[0] == truths[1]
    files = [file.name for file in (tmp_path / "0" / "customs").iterdir()]
    assert sorted(files) == sorted(truths[0]["records_by_file"])
    assert all(name.startswith("SIMULATED_") for name in files)


def test_the_command_line_writes_a_world_in_a_layout(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flows.cli", "simulate", str(tmp_path / "world"), "--layout"]
    done = subprocess.run(
        [*command, "customs=csmar"], cwd=PROJECT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert {file.suffix for file in (tmp_path / "world" / "customs").iterdir()} == {".xlsx"}
    marker = json.loads((tmp_path / "world" / "SIMULATED.json").read_text(encoding="utf-8"))
    assert marker["layouts"] == {"customs": "csmar_2000_2016"}
    assert not world_is_current(tmp_path / "world", "small", 1), (
        "a world in another layout is not the default one"
    )
    wrong = subprocess.run(
        [*command, "csmar"], cwd=PROJECT, capture_output=True, text=True, timeout=120
    )
    assert wrong.returncode != 0
    assert "--layout csmar: is not SOURCE=LAYOUT" in wrong.stderr
