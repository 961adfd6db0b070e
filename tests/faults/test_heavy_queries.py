"""Each heavy query of tests.faults.heavy is held in time and memory, and the door answers the next
one.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flows.doors.sql import Door
from tests.conftest import publish_tiny, write_tiny_config
from tests.faults.heavy import HEAVY, LIMITS, hold
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
