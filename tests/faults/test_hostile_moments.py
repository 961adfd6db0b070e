"""Crowds of readers, mutated files, full and read-only disks, files that change, clocks set
back.

The larger runs are commands of their own: tests.faults.readers, tests.faults.fuzz.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PATIENCE_SECONDS, PROJECT, citytrade, environment, unseal, write_config
from tests.faults.fuzz import fuzz
from tests.faults.readers import read_through
from warehouse import connect
from warehouse.errors import SourceError
from warehouse.releases.publish import current_release, note_published, release_names
from warehouse.releases.seal import seal
from warehouse.settings.config import Config, load_config
from warehouse.sources import get_source
from warehouse.sources.reading.base import Layout
from warehouse.sources.reading.loading import load_file

NAMESPACE = ["unshare", "--map-root-user", "--mount"]

READERS = 4  # what they ask costs the refresh its processor; `tests.faults.readers` lets 16 ask


@pytest.fixture(scope="module")
def copied(small_release: Config, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A copy of the small release with its world, for the tests of this file to break."""
    folder = tmp_path_factory.mktemp("copied")
    for name in ("world", "home"):
        shutil.copytree(small_release.home.parent / name, folder / name, symlinks=True)
    return load_config(write_config(folder / "citytrade.toml", folder / "world", simulate=False))


@pytest.fixture(scope="module")
def can_mount(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("mount")
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            [*NAMESPACE, "mount", "-t", "tmpfs", "none", str(folder)], capture_output=True
        ).returncode
    ):
        pytest.skip("this machine lets nobody mount a folder of his own")


def test_mutated_files_are_accepted_or_refused_and_nothing_else(small_release: Config) -> None:
    outcomes = fuzz(small_release.home.parent / "world", 300, first=1_000_000, workers=1)
    assert len(outcomes) == 300
    assert [outcome for outcome in outcomes if outcome.kind not in ("accepted", "refused")] == []
    assert {outcome.kind for outcome in outcomes} == {"accepted", "refused"}


def _in_a_mount(config: Config, mount: str) -> subprocess.CompletedProcess[str]:
    """A refresh in a mount namespace of its own, after a mount."""
    script = f'{mount} && exec "$@"'
    command = [*NAMESPACE, "sh", "-c", script, "sh", sys.executable, "-m", "flows.cli"]
    command += ["refresh", "--full", "--config", str(config.path)]
    return subprocess.run(
        command,
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


def _asked(config: Config) -> tuple[object, ...] | None:
    with connect(config) as connection:
        return connection.execute(
            "select release, (select count(*) from city_year) from meta.releases where is_this"
        ).fetchone()


@pytest.mark.usefixtures("can_mount")
def test_a_full_disk_stops_the_refresh_with_a_sentence_and_keeps_the_release(
    copied: Config,
) -> None:
    before = _asked(copied)
    done = _in_a_mount(copied, f"mount -t tmpfs -o size=2m none '{copied.builds}/../lake/loads'")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no space left on device while " in done.stderr
    assert "Free some space, then refresh again." in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert _asked(copied) == before


@pytest.mark.usefixtures("can_mount")
def test_a_read_only_home_is_told_and_keeps_the_release(copied: Config) -> None:
    before = _asked(copied)
    done = _in_a_mount(
        copied,
        f"mount --bind '{copied.home}' '{copied.home}' && mount -o remount,ro,bind '{copied.home}'",
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "the home cannot be written to (Read-only file system)" in done.stderr
    assert _asked(copied) == before


def test_a_file_that_changes_while_it_is_read_is_refused(
    small_release: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = next((small_release.home.parent / "world" / "prices").glob("*.xlsx"))
    file = tmp_path / original.name
    shutil.copy(original, file)
    source = get_source("prices")
    whole = {layout.name: layout.read for layout in source.layouts}

    def read_and_append(layout: Layout) -> Layout:
        def read(raw: object, delivery: object) -> None:
            whole[layout.name](raw, delivery)  # type: ignore[arg-type]
            with file.open("ab") as handle:
                handle.write(b"more")

        return Layout(layout.name, layout.recognise, read)

    changed = type(source)(
        **{
            **{name: getattr(source, name) for name in source.__dataclass_fields__},
            "layouts": tuple(map(read_and_append, source.layouts)),
        }
    )
    monkeypatch.setattr(type(changed), "reader_version", "x", raising=False)
    with pytest.raises(SourceError, match="changed while it was read"):
        load_file(changed, file, tmp_path / "lake")
    assert list((tmp_path / "lake").rglob("report.json")) == []


def test_readers_get_whole_answers_although_a_release_is_of_the_future(
    copied: Config,
) -> None:
    """As after a clock that ran ahead and was set right: the new release still comes after it, and
    readers get one of the two.
    """
    now = current_release(copied.home)
    assert now is not None
    future = "20990101T000000Z-abcdef"
    shutil.copytree(copied.builds / now, copied.builds / future)
    note_published(copied.home, future)
    unseal(copied.builds / future)
    manifest = copied.builds / future / "release.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(now, future), encoding="utf-8")
    seal(copied.builds / future)
    done = citytrade("rollback", future, "--config", str(copied.path))
    assert done.returncode == 0, done.stderr
    answers = read_through(copied, READERS, refreshes_n=1, say=lambda _: None)
    newest = release_names(copied.home)[-1]
    assert newest.startswith("20990101T000001Z-")
    assert current_release(copied.home) == newest
    assert _asked(copied) == (newest, 1320)
    assert [answer.error for answer in answers] == [""] * READERS
    assert sum(answer.by_release.total() for answer in answers) > READERS
    # The copy of today's release still calls itself by its own name.
    assert set().union(*(answer.by_release for answer in answers)) <= {now, newest}
