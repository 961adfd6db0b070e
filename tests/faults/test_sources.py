"""The most different cases of tests.faults.sources: each is published, with what it
lacks said.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.sources import CUSTOMS, Case, publish_case
from warehouse.lake.loads import LoadReport
from warehouse.releases.publish import current_release, read_manifest
from warehouse.settings.config import Config
from warehouse.sources import SOURCES

pytestmark = pytest.mark.slow

FILLED = {
    Case(("policies",)): set(),
    Case(CUSTOMS, (2007, 2007)): {"city_year", "city_hs6_year", "city_destination_year"},
    Case(tuple(SOURCES), (1995, 1998)): set(),
}


@pytest.mark.parametrize("case", FILLED, ids=str)
def test_a_release_comes_of_it(small_release: Config, tmp_path: Path, case: Case) -> None:
    release = current_release(small_release.home)
    assert release is not None
    loads: dict[str, tuple[LoadReport, ...]] = {}
    for fields in read_manifest(small_release.home, release).loads:
        loads[fields["source"]] = (*loads.get(fields["source"], ()), LoadReport(**fields))
    done = publish_case(small_release, loads, case, tmp_path / "20260101T000000Z-abcdef")
    filled = {panel for panel, rows in done.rows.items() if rows}
    assert filled >= FILLED[case]
    assert {panel for panel, rows in done.rows.items() if not rows} == {
        panel for panel in done.rows if any(panel in line for line in done.empty)
    }
