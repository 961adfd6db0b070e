"""Each heavy query of tests.faults.heavy is held in time and memory, and the door answers the next
one.
"""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Iterator

import pytest

from flows.doors.sql import Door
from tests.conftest import publish_tiny, write_tiny_config
from tests.faults.heavy import HEAVY, LIMITS, hold
from warehouse.errors import CitytradeError
from warehouse.settings.config import load_config
from warehouse.store import release_folder


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    config = load_config(write_tiny_config(tmp_path_factory.mktemp("heavy")))
    publish_tiny(config)
    with Door(release_folder(config), LIMITS) as opened:
        yield opened


@pytest.mark.parametrize("kind", sorted(HEAVY))
def test_a_heavy_query_is_held_and_the_next_is_answered(door: Door, kind: str) -> None:
    held = hold(door, HEAVY[kind])
    assert held.is_within_limits, held
    if held.refusal:
        assert "allow more with --" in held.refusal or "Error" in held.refusal


def test_a_process_that_ends_before_it_is_asked_is_replaced(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.ask("select 1", "csv", 10, io.StringIO())
    assert door._process is not None
    door._process.kill()
    door._process.wait()
    monkeypatch.setattr(door._process, "poll", lambda: None)  # as a look just before saw it
    answer = io.StringIO()
    door.ask("select count(*) as n from city_year", "csv", 10, answer)
    assert answer.getvalue() == "n\n5\n"


def test_a_process_that_somebody_ends_is_not_said_to_have_wanted_memory(door: Door) -> None:
    door.ask("select 1", "csv", 10, io.StringIO())
    assert door._process is not None
    timer = threading.Timer(0.3, door._process.send_signal, [signal.SIGKILL])
    timer.start()
    with pytest.raises(CitytradeError, match="ended from outside, by SIGKILL"):
        door.ask(HEAVY["a join without keys"], "csv", 10, io.StringIO())
    timer.join()
    answer = io.StringIO()
    door.ask("select count(*) as n from city_year", "csv", 10, answer)
    assert answer.getvalue() == "n\n5\n"


@pytest.mark.parametrize(
    "statement",
    ["select 'failed to allocate'::int", "from allocate", "select allocate", "select allocate(1)"],
)
def test_a_mistake_that_speaks_of_allocating_is_called_a_mistake(
    door: Door, statement: str
) -> None:
    with pytest.raises(CitytradeError, match="Error: .*allocate"):
        door.ask(statement, "csv", 10, io.StringIO())
