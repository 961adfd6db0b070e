"""No statement of tests.faults.statements gets through, at the shell or in Python."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import MakeRelease
from tests.faults.intruders import DOORS, outside, try_all
from tests.faults.statements import KINDS, STATEMENTS_N
from warehouse.settings.config import Config


def test_nothing_outside_the_release_is_read_written_told_or_changed(
    tiny_config: Config, make_release: MakeRelease, tmp_path: Path
) -> None:
    make_release()
    with outside(tiny_config, tmp_path / "outside") as there:
        tried = try_all(tiny_config, there)
    assert len({one.statement for one in tried}) == STATEMENTS_N >= 200
    assert len(tried) == len(DOORS) * STATEMENTS_N
    assert [(one.door, one.statement, one.harm) for one in tried if one.harm] == []
    # What writes, sets, reaches or takes objects is refused, and not merely without harm.
    allowed = {"tells of the machine", "reads files", "several statements, comments, unicode"}
    answered = {one.kind for one in tried if not one.refusal}
    assert answered <= allowed < {*KINDS}
