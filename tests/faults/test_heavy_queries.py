"""Queries that want more than they may: each is held in time and memory, and the door answers the
next one.

DuckDB itself stops none of these: it looks at its limits between rows, and these grow within one
value.
"""

from __future__ import annotations

import io
import re
import threading
import time
from pathlib import Path

import pytest

from flows.doors.sql import Door
from tests.conftest import MakeRelease
from warehouse.errors import CitytradeError
from warehouse.query.limits import Limits
from warehouse.settings.config import Config
from warehouse.store import release_folder

SECONDS, MEMORY = 4.0, "500MB"
HEAVY = {
    "repeat": "select length(repeat('x', 4000000000))",
    "regexp_replace": (
        "select length(regexp_replace(repeat('a', 40000000), 'a', repeat('b', 1000), 'g'))"
    ),
    "range in a list": "select len(range(2000000000))",
    "generate_series": "select len(generate_series(1, 130000000))",
    "lpad": "select length(lpad('x', 2000000000, 'ab'))",
    "levenshtein": "select levenshtein(repeat('ab', 200000), repeat('ba', 200000))",
    "list_transform": (
        "select len(list_transform(range(20000), x -> list_transform(range(20000), y -> x * y)))"
    ),
    "printf": "select length(printf('%2000000000d', 1))",
    "string_agg": "select length(string_agg(repeat('x', 1000), '')) from range(100000000)",
    "a join without keys": (
        "select sum(a.range * b.range) from range(10000000) a, range(10000000) b"
    ),
    "sort": "select * from range(400000000) order by hash(range) limit 1 offset 399999990",
    "many groups": (
        "select count(*) from (select range % 300000000 as g, "
        "count(*) from range(300000000) group by g)"
    ),
    "replace": "select length(replace(repeat('a', 20000000), 'a', repeat('b', 1000)))",
    "recursion": (
        "with recursive t as (select 1 as n union all select n + 1 from t) select max(n) from t"
    ),
    "long texts": "select repeat('x', 30000000) from range(100)",
}


class Watch(threading.Thread):
    """Looks at the memory that a door's process has held at most, for as long as it lives."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._status = Path()
        self._done = threading.Event()

    def look_at(self, door: Door) -> None:
        assert door._process is not None
        self._status = Path(f"/proc/{door._process.pid}/status")
        self._look()
        self.start()

    def run(self) -> None:
        while self._look() and not self._done.wait(0.005):
            pass

    def _look(self) -> bool:
        try:
            held = re.search(r"VmHWM:\s+(\d+) kB", self._status.read_text(encoding="ascii"))
        except OSError:
            held = None
        if held is None:
            return False  # it was ended
        self.peak = int(held[1]) * 1024
        return True

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()


@pytest.fixture
def door(tiny_config: Config, make_release: MakeRelease) -> Door:
    make_release()
    return Door(release_folder(tiny_config), Limits(SECONDS, MEMORY))


@pytest.mark.parametrize("kind", sorted(HEAVY))
def test_a_heavy_query_is_held_and_the_next_is_answered(door: Door, kind: str) -> None:
    with door, Watch() as watch:
        door.ask("select 1", "csv", 10, io.StringIO())  # the process is there
        watch.look_at(door)
        start = time.monotonic()
        try:
            door.ask(HEAVY[kind], "csv", 10, Counting())
        except CitytradeError as error:
            assert "allow more with --" in str(error) or "Error" in str(error), error
        assert time.monotonic() - start < SECONDS + 6
        answer = io.StringIO()
        door.ask("select count(*) as n from city_year", "csv", 10, answer)
        assert answer.getvalue() == "n\n5\n"
    assert 0 < watch.peak < 500e6 + 600e6, f"{watch.peak / 1e6:.0f} MB"


class Counting(io.StringIO):
    """Keeps nothing of what is written."""

    def write(self, text: str) -> int:
        return len(text)
