"""Queries that want more than they may: each is held in time and memory, and the door answers the
next one.

DuckDB itself stops none of these: it looks at its limits between rows, and these grow within one
value.

python -m tests.faults.heavy        prints the seconds and the memory that each was let have
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from flows.doors.sql import Door
from tests.conftest import publish_tiny, write_tiny_config
from warehouse.errors import CitytradeError
from warehouse.query.limits import Limits
from warehouse.settings.config import load_config
from warehouse.store import release_folder

LIMITS = Limits(4.0, "500MB")
SLACK_SECONDS = 20.0  # to end a process, on a busy machine
SLACK_BYTES = 600e6  # what the process holds before it is asked anything, and its libraries
HEAVY = {
    "repeat": "select length(repeat('x', 4000000000))",
    "repeat a list": "select len(repeat([1, 2, 3], 1000000000))",
    "regexp_replace": (
        "select length(regexp_replace(repeat('a', 40000000), 'a', repeat('b', 1000), 'g'))"
    ),
    "replace": "select length(replace(repeat('a', 20000000), 'a', repeat('b', 1000)))",
    "split": "select len(string_split(repeat('a ', 200000000), ' '))",
    "lpad": "select length(lpad('x', 2000000000, 'ab'))",
    "rpad": "select length(rpad('x', 2000000000, 'ab'))",
    "printf": "select length(printf('%2000000000d', 1))",
    "format": "select length(format('{:>2000000000}', 'x'))",
    "levenshtein": "select levenshtein(repeat('ab', 200000), repeat('ba', 200000))",
    "string_agg": "select length(string_agg(repeat('x', 1000), '')) from range(100000000)",
    "long texts": "select repeat('x', 30000000) from range(100)",
    "range in a list": "select len(range(2000000000))",
    "generate_series": "select len(generate_series(1, 130000000))",
    "list_resize": "select len(list_resize([1], 3000000000))",
    "list_transform": (
        "select len(list_transform(range(20000), x -> list_transform(range(20000), y -> x * y)))"
    ),
    "a join without keys": (
        "select sum(a.range * b.range) from range(10000000) a, range(10000000) b"
    ),
    "sort": "select * from range(400000000) order by hash(range) limit 1 offset 399999990",
    "many groups": (
        "select count(*) from (select range % 300000000 as g, "
        "count(*) from range(300000000) group by g)"
    ),
    "distinct": "select count(distinct hash(range)) from range(500000000)",
    "window": (
        "select max(s) from (select sum(range) over (order by hash(range)) as s"
        " from range(300000000))"
    ),
    "recursion": (
        "with recursive t as (select 1 as n union all select n + 1 from t) select max(n) from t"
    ),
}


@dataclass(frozen=True)
class Held:
    """What a query was let have: seconds, bytes at most, and the sentence that refused it (empty
    where it was answered).
    """

    seconds: float
    peak: int
    refusal: str

    @property
    def is_within_limits(self) -> bool:
        return (
            self.seconds < LIMITS.seconds + SLACK_SECONDS
            and 0 < self.peak < LIMITS.memory_bytes + SLACK_BYTES
        )


class Watch(threading.Thread):
    """Looks at the memory that a door's process has held at most, for as long as it lives."""

    def __init__(self, door: Door) -> None:
        super().__init__(daemon=True)
        assert door._process is not None
        self.peak = 0
        self._status = Path(f"/proc/{door._process.pid}/status")
        self._done = threading.Event()
        self._look()

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
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()


class Counting(io.StringIO):
    """Keeps nothing of what is written."""

    def write(self, text: str) -> int:
        return len(text)


def hold(door: Door, query: str) -> Held:
    """Ask a heavy query, then an easy one.

    Raises
    ------
    AssertionError : the easy one is not answered, or would be by a process that was refused memory.
    """
    refusal = ""
    door.ask("select 1", "csv", 10, io.StringIO())  # the process is there
    with Watch(door) as watch:
        start = time.monotonic()
        try:
            door.ask(query, "csv", 10, Counting())
        except CitytradeError as error:
            refusal = str(error)
        seconds = time.monotonic() - start
    assert door._process is None or "allow more with" not in refusal
    answer = io.StringIO()
    door.ask("select count(*) as n from city_year", "csv", 10, answer)
    assert answer.getvalue() == "n\n5\n"
    return Held(seconds, watch.peak, refusal)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="citytrade-heavy-") as name:
        config = load_config(write_tiny_config(Path(name)))
        publish_tiny(config)
        with Door(release_folder(config), LIMITS) as door:
            held = {kind: hold(door, query) for kind, query in HEAVY.items()}
    for kind, one in held.items():
        said = one.refusal.splitlines()[0] if one.refusal else "answered within the limits"
        print(f"{kind:20s} {one.seconds:5.1f} s {one.peak / 1e6:6.0f} MB  {said}")
    within_n = sum(one.is_within_limits for one in held.values())
    print(
        f"{within_n} of {len(held)} heavy queries were held ({LIMITS.seconds:g} s,"
        f" {LIMITS.memory}), and the door answered the next one each time"
    )
    return int(within_n < len(held))


if __name__ == "__main__":
    sys.exit(main())
